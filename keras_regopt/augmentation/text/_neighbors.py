"""Words whose embeddings are near one another."""

import numpy as np

# So many rows of similarities at a time.
_BLOCK = 1024


def nearest(words, matrix, count, min_similarity):
    """For each word those whose embeddings point into the same direction.

    Args:
        words: List of words.
        matrix: Array of shape `(len(words), size)`.
        count: How many a word has at most.
        min_similarity: The smallest cosine that counts.

    Yields:
        A word, `""` and a list of words, the nearest first.
    """
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit = matrix / np.where(norms > 0, norms, 1)
    count = min(count, len(words) - 1)
    if count < 1:
        return
    for start in range(0, len(words), _BLOCK):
        similarity = unit[start : start + _BLOCK] @ unit.T
        rows = np.arange(len(similarity))
        similarity[rows, start + rows] = -np.inf
        best = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        for row in rows:
            order = sorted(best[row], key=lambda i: -similarity[row, i])
            near = [i for i in order if similarity[row, i] >= min_similarity]
            yield words[start + row], "", [words[i] for i in near]
