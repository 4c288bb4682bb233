"""Words that say little by themselves, for those who ask for them."""

from keras_regopt.augmentation.text._split import strings

_ENGLISH = """
    a about above after again against all also am an and any are aren't as at
    be because been before being below between both but by can can't cannot
    could couldn't did didn't do does doesn't doing don't down during each
    either else ever every few for from further had hadn't has hasn't have
    haven't having he he'd he'll he's her here hers herself him himself his how
    however i i'd i'll i'm i've if in into is isn't it it's its itself just
    let's may me might more most must mustn't my myself neither no nor not of
    off on once only or other ought our ours ourselves out over own same
    shall shan't she she'd she'll she's should shouldn't since so some such
    than that that's the their theirs them themselves then there there's these
    they they'd they'll they're they've this those though through thus to too
    under until up upon us very was wasn't we we'd we'll we're we've were
    weren't what what's when where whether which while who who's whom whose
    why will with within without won't would wouldn't yet you you'd you'll
    you're you've your yours yourself yourselves
"""
ENGLISH = frozenset(_ENGLISH.split())


def checked_stop_words(owner, value):
    """`"english"`, or a list of words; `None` is none.

    Raises:
        ValueError: If it is anything else.
    """
    if value is None or (isinstance(value, str) and value == "english"):
        return value
    return strings(owner, "stop_words", value)


def stop_words(value):
    """The words that a checked argument stands for, in lower case."""
    if value == "english":
        return ENGLISH
    return frozenset(word.lower() for word in value or ())
