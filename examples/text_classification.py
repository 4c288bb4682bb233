"""What augmentation brings to a small classifier of texts, on real sentences.

    pip download --no-binary :all: --no-deps vaderSentiment==3.3.2
    apt-get install mythes-en-us
    python examples/text_classification.py --data vaderSentiment-3.3.2.tar.gz

The archive, which is only unpacked, holds sentences that twenty people each
rated from -4 to 4: snippets of film reviews, of product reviews and of
newspaper editorials. Those rated beyond 0.5 either way are told apart by a bag
of words, trained on few of them: as they are, or with four new texts for each,
by each operation alone and by those of two papers. More text is also more
training, so that the control is the plain set with as many steps. Snippets of
one document are all in the training set, or none is. The table goes to
`example_output/results.md`.
"""

import argparse
import io
import pathlib
import tarfile

import keras
import numpy as np

from keras_regopt.augmentation import (
    CharacterTypos,
    EasyDataAugmentation,
    PunctuationInsertion,
    RandomWordDeletion,
    RandomWordInsertion,
    RandomWordSwap,
    Thesaurus,
    WordSynonyms,
    augment_dataset,
)

ARCHIVE = "vaderSentiment-3.3.2.tar.gz"
THESAURUS = "/usr/share/mythes/th_en_US_v2.dat"
FILES = {
    "films": "movieReview",
    "products": "amazonReview",
    "news": "nytEditorial",
}
NEW = 4
EPOCHS = 10
BATCH_SIZE = 32
VOCABULARY, LENGTH = 8000, 48
PLAIN, LONGER = "plain", "plain, as many steps"


def main():
    options = parse_options()
    output = pathlib.Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    if not pathlib.Path(options.data).exists():
        print(
            f"There is no {options.data}. Get it, 2.5 MB, with\n\n"
            "    pip download --no-binary :all: --no-deps vaderSentiment==3.3.2"
        )
        return
    thesaurus = None
    if pathlib.Path(options.thesaurus).exists():
        thesaurus = Thesaurus.from_mythes(options.thesaurus)
    else:
        print(
            f"There is no {options.thesaurus}, so synonyms are left out. On "
            "Debian, `apt-get install mythes-en-us` brings it."
        )
    classifier = Classifier()
    scores = {}
    for task in options.tasks:
        source, size = task.split("-")
        examples = sentences(options.data, source)
        for seed in range(
            options.first_seed, options.first_seed + options.seeds
        ):
            run = accuracies(examples, int(size), seed, thesaurus, classifier)
            print(task, "seed", seed, {k: round(v, 4) for k, v in run.items()})
            scores.setdefault(f"{source}, {size}", []).append(run)
    page = table(scores)
    print(page)
    (output / "results.md").write_text(page + "\n")


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", default=ARCHIVE)
    parser.add_argument("--thesaurus", default=THESAURUS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--tasks",
        nargs="+",
        default=["films-200", "films-500"],
        help="a source (films, products, news) and a number of sentences",
    )
    parser.add_argument("--output", default="example_output")
    return parser.parse_args()


def sentences(archive, source):
    """Texts, whether each is positive, and the document each is of."""
    with tarfile.open(archive) as outer:
        inside = next(n for n in outer.getnames() if n.endswith("2014.tar.gz"))
        data = outer.extractfile(inside).read()
    with tarfile.open(fileobj=io.BytesIO(data)) as inner:
        name = next(
            n
            for n in inner.getnames()
            if n.endswith(f"{FILES[source]}Snippets_GroundTruth.txt")
        )
        lines = inner.extractfile(name).read().decode("utf-8").splitlines()
    rows = [line.split("\t", 2) for line in lines]
    rows = [row for row in rows if len(row) == 3 and abs(float(row[1])) >= 0.5]
    return (
        [text for _, _, text in rows],
        np.array([float(rating) > 0 for _, rating, _ in rows], int),
        # The numbers of films stand alone, the others are `document_sentence`.
        np.array([number.split("_")[0] for number, _, _ in rows]),
    )


def accuracies(examples, size, seed, thesaurus, classifier):
    """The accuracy on all other sentences, by the name of the method."""
    texts, labels, documents = examples
    train, test = split(labels, documents, size, seed)
    texts = np.array(texts, object)
    held_out = texts[test], labels[test]
    few = texts[train].tolist(), labels[train]
    found = {}
    for name, epochs in ((PLAIN, 1), (LONGER, NEW + 1)):
        classifier.train(*few, seed, EPOCHS * epochs)
        found[name] = classifier.accuracy(*held_out)
    for name, layer in operations(seed, thesaurus).items():
        classifier.train(*augment_dataset(*few, NEW, layer), seed, EPOCHS)
        found[name] = classifier.accuracy(*held_out)
    return found


def split(labels, documents, size, seed):
    """Which examples train and which test, by documents, half positive."""
    random = np.random.default_rng(seed)
    order = random.permutation(np.unique(documents))
    place = {document: number for number, document in enumerate(order)}
    by_document = np.argsort([place[d] for d in documents], kind="stable")
    train = []
    for label in (0, 1):
        train.extend(by_document[labels[by_document] == label][: size // 2])
    kept = set(documents[train])
    return np.array(train), np.array(
        [i for i in by_document if documents[i] not in kept]
    )


def operations(seed, thesaurus):
    """Each operation alone, and those of two papers."""
    made = {
        "random deletion": RandomWordDeletion(0.1, seed=seed),
        "random swap": RandomWordSwap(0.2, seed=seed),
        "typos": CharacterTypos(0.1, seed=seed),
        "punctuation (AEDA)": PunctuationInsertion(seed=seed),
    }
    if thesaurus is not None:
        rest = {"stop_words": "english", "seed": seed}
        made["synonyms"] = WordSynonyms(
            thesaurus, keep_part_of_speech=False, **rest
        )
        made["synonyms of one part of speech"] = WordSynonyms(thesaurus, **rest)
        made["random insertion"] = RandomWordInsertion(
            thesaurus=thesaurus, keep_part_of_speech=False, **rest
        )
        made["EDA"] = EasyDataAugmentation(thesaurus, **rest)
    return made


class Classifier:
    """A bag of words, compiled once and trained from the start each time."""

    def __init__(self):
        words = keras.Input((LENGTH,), dtype="int32")
        x = keras.layers.Embedding(VOCABULARY, 16, mask_zero=True)(words)
        x = keras.layers.GlobalAveragePooling1D()(x)
        self.model = keras.Model(words, keras.layers.Dense(1)(x))
        self.model.compile(
            keras.optimizers.Adam(0.01),
            keras.losses.BinaryCrossentropy(from_logits=True),
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self.start = [v.numpy() for v in self.model.optimizer.variables]

    def train(self, texts, labels, seed, epochs):
        self.reset(seed)
        self.vectorize = keras.layers.TextVectorization(
            VOCABULARY, output_sequence_length=LENGTH
        )
        self.vectorize.adapt(texts)
        words, labels = self.numbers(texts), np.asarray(labels, "float32")
        # The same steps for every method, all of one size.
        order = np.random.default_rng(seed).permutation(len(words))
        order = order[: len(words) // BATCH_SIZE * BATCH_SIZE]
        self.model.fit(
            words[order],
            labels[order, None],
            BATCH_SIZE,
            epochs=epochs,
            verbose=0,
        )

    def reset(self, seed):
        """The weights and the optimizer as they were before any training."""
        keras.utils.set_random_seed(seed)
        random = np.random.default_rng(seed)
        for weight in self.model.weights:
            weight.assign(random.uniform(-0.05, 0.05, weight.shape))
        for variable, value in zip(
            self.model.optimizer.variables, self.start, strict=True
        ):
            variable.assign(value)

    def accuracy(self, texts, labels):
        logits = self.model.predict(
            self.numbers(texts), batch_size=1024, verbose=0
        )
        return float(np.mean((logits[:, 0] > 0) == labels))

    def numbers(self, texts):
        import tensorflow as tf

        numbers = self.vectorize(tf.constant(list(texts)))
        return keras.ops.convert_to_numpy(numbers).astype("int32")


def table(scores):
    """Means over the seeds, and how the plain one with as many steps differs.

    In parentheses, twice the standard error of the difference.
    """
    head = [
        "method",
        *(f"{t} ({len(runs)} seeds)" for t, runs in scores.items()),
    ]
    lines = [head, ["---"] * len(head)]
    for name in next(iter(scores.values()))[0]:
        cells = []
        for runs in scores.values():
            values = 100 * np.array([run[name] for run in runs])
            gains = values - 100 * np.array([run[LONGER] for run in runs])
            error = (
                2 * gains.std(ddof=1) / np.sqrt(len(runs)) if runs[1:] else 0
            )
            shown = f"{values.mean():.1f}"
            if name != LONGER:
                shown += f", {gains.mean():+.1f} (±{error:.1f})"
            cells.append(shown)
        lines.append([name, *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
