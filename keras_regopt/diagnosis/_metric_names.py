"""What a metric's name says: which direction is better, and its kind."""

import re

# Words in a metric's name that say that higher is better. The error is then
# one minus the metric.
_SCORE = re.compile(
    r"(^|_)(mcc|matthews(_correlation(_coefficient)?)?|kappa|m?ap(_?\d+)?|"
    r"mean_average_precision|average_precision|n?dcg|mrr|bleu\d?|rouge\w?|"
    r"meteor|chrf|cider|exact_match|(ms_)?ssim|psnr|snr|si_sdr|"
    r"hit(s|_rate|_ratio)?|top_?k?_?\d*|pearson\w*|spearman\w*|kendall\w*|"
    r"correlation|corr|balanced_accuracy|acc|accuracy|auc|auroc|auprc|prc|"
    r"pr_auc|roc_auc|gini|cosine_similarity|dice|jaccard|f\d|f\d_score|"
    r"f_?beta|f_?beta_score|f_score|(mean_|m)?io_u|m?iou|precision|ppv|npv|"
    r"r2|r2_score|explained_variance|recall|sensitivity|specificity|tpr|tnr|"
    r"true_positives|true_negatives|concordance|c_index|youden\w*|g_mean|"
    r"likelihood|log_likelihood|reward|return)(_|$)"
)
_ACCURACY = re.compile(r"(^|_)(acc|accuracy)(_\d+)?$")
_BALANCED = re.compile(
    r"(^|_)(balanced_acc(uracy)?|g_mean|pr_auc|auprc|prc|average_precision|"
    r"auc|auroc|roc_auc|mcc|matthews\w*|kappa|f1|f1_score|f_?beta\w*|recall|"
    r"sensitivity)(_|$)"
)
_BY_CLASS = re.compile(
    r"(^|_)(recall|precision|f1|f1_score|sensitivity|specificity|"
    r"true_positives|true_negatives)(_\d+)?$"
)
_ERROR = re.compile(
    r"(^|_)(mae|mse|rmse|error|mean_squared_error|mean_absolute_error)(_\d+)?$"
)
_LOWER = re.compile(
    r"(^|_)(loss|logloss|error|error_rate|mae|mse|rmse|msle|rmsle|mape|smape|"
    r"mase|nll|hinge|poisson|log_?cosh|huber|kl_divergence|kl|kld|perplexity|"
    r"ppl|bpc|brier|wer|cer|ter|eer|ece|fid|lpips|deviance|"
    r"negative_log_likelihood|chamfer|hausdorff|distance|false_positives|"
    r"false_negatives|fpr|fnr|\w*cross_?entropy|bce|cce)(_|$)"
)
_NOT_SCORE = re.compile(r"(^|_)(loss|error|distance|divergence|negative)(_|$)")
# Scores that lie in 0..1, or are told in percent.
_BOUNDED = re.compile(
    r"(^|_)(m?ap|mean_average_precision|average_precision|n?dcg|mrr|bleu\d?|"
    r"rouge\w?|meteor|chrf|exact_match|(ms_)?ssim|hit(s|_rate|_ratio)?|"
    r"top_?k?_?\d*|acc|accuracy|auc|auroc|auprc|prc|dice|jaccard|f\d|"
    r"f\d_score|f_?beta\w*|m?iou|io_u|precision|recall|sensitivity|"
    r"specificity)(_|$)"
)
_SQUARED = re.compile(r"(^|_)(mse|mean_squared_error)(_\d+)?$")
_ABSOLUTE = re.compile(r"(^|_)(mae|mean_absolute_error)(_\d+)?$")
_ROOT = re.compile(r"(^|_)(rmse|root_mean_squared_error)(_\d+)?$")
_ENTROPY = re.compile(r"(^|_)(nll|log_?loss|bce|cce|\w*cross_?entropy)(_\d+)?$")
# Scores without an upper bound, so that no error can be told from them.
_UNBOUNDED = re.compile(
    r"(^|_)(psnr|snr|si_sdr|cider|likelihood|log_likelihood|reward|return|"
    r"true_positives|true_negatives)(_|$)"
)
_DECIBEL = re.compile(r"(^|_)psnr(_|$)")


def plain_name(name):
    """A name in small letters, with one `_` for all that is no letter."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def is_score(name):
    """Whether a metric's name says that higher is better."""
    name = plain_name(name)
    return bool(_SCORE.search(name)) and not _NOT_SCORE.search(name)


def has_direction(name):
    """Whether a metric's name says which direction is better."""
    return is_score(name) or bool(_LOWER.search(plain_name(name)))


def is_accuracy(name):
    """Whether a metric is the fraction of right answers."""
    name = plain_name(name)
    plain = _ACCURACY.search(name) and not re.search("top_?k?_?\\d*_", name)
    return bool(plain) and "balanced" not in name


def judges_rare_classes(name):
    """Whether a metric shows that a rare class is missed."""
    return bool(_BALANCED.search(plain_name(name))) and is_score(name)


def is_of_one_class(name):
    """Whether a metric is zero where a class is never predicted."""
    return bool(_BY_CLASS.search(plain_name(name)))


def is_mean_error(name):
    """Whether a metric is a mean error, free of penalties."""
    return bool(_ERROR.search(plain_name(name)))


def is_bounded(name):
    """Whether a score lies in 0..1, or in percent."""
    return bool(_BOUNDED.search(plain_name(name)))


def is_unbounded(name):
    """Whether a score has no highest value."""
    return bool(_UNBOUNDED.search(plain_name(name)))


def is_decibel(name):
    """Whether a score is ten times the logarithm of an error."""
    return bool(_DECIBEL.search(plain_name(name)))


def kind_of(name):
    """The kind of an error: `"mse"`, `"mae"`, `"rmse"`, `"ce"` or `""`."""
    name = plain_name(name)
    kinds = {"mse": _SQUARED, "mae": _ABSOLUTE, "rmse": _ROOT, "ce": _ENTROPY}
    for kind, pattern in kinds.items():
        if pattern.search(name):
            return kind
    return ""
