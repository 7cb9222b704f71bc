"""Compare images and labels with real digits, and repair unambiguous errors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mnist_kedro.arrays import ArrayLike, Rows
from mnist_kedro.contracts import CLASSES, LEAKED, Labels, Pixels
from mnist_kedro.errors import InputError
from mnist_kedro.metrics.duplicates import count_duplicates
from mnist_kedro.parameters import IngestionParameters
from mnist_kedro.sources.reference import ORIENTATIONS, Classified, classify

_SAMPLE = 1000  # number of images of a split that are compared
_FEW = 50  # fewer images are not compared
# Shares of images or labels; "agree" means that an image is classified as it is labeled.
_FITS = 0.6  # least agreement of correct data (MNIST: 96%, photographed digits: 82%)
_BETTER = 0.25  # least increase of the agreement by a repair
_DOUBTFUL = 0.75  # below this agreement, some images may be stored in another form
_UNRELATED = 0.5  # below this agreement, images and labels do not belong together
_TURNED = 0.5  # least agreement of turned images that disagreed as stored (MNIST: at most 30%)
_OTHERS = 0.05  # tolerated share of images that do not resemble digits (MNIST: 1%)
_PERMUTED = 0.7  # least agreement after the best permutation of labels (ten letters: half)
_WRONG = 0.1  # tolerated share of clear digits with wrong labels (photographs: at most 5%)
_COPIES = 0.01  # tolerated share of copies in a split
_SHIFTS = (1, -1, 2, -2)  # numbers of rows by which labels may be displaced
TEN_IS_ZERO = (*range(CLASSES), 0)
ONE_IS_ZERO = (0, *range(CLASSES))
_AS_IS = "to ingest it as it is, add --params ingestion.labels=as_is,ingestion.orientation=as_is"


class Split(NamedTuple):
    """Images ``(n, 28, 28)`` uint8, and the stored labels ``(n,)`` uint8."""

    images: ArrayLike
    labels: Labels


Splits = Mapping[str, Split]


class Checked(NamedTuple):
    """Splits with labels 0–9, descriptions of the repairs, and warnings."""

    splits: dict[str, Split]
    conversions: list[str]
    warnings: list[str]


class _Sample(NamedTuple):
    """Some images of a split, and their rows."""

    name: str
    images: Pixels
    rows: NDArray[np.intp]
    labels: Labels  # labels of the whole split

    @property
    def image_labels(self) -> Labels:
        """Return the labels of the sampled images."""
        return self.labels[self.rows]


def check_content(splits: Splits, where: str, parameters: IngestionParameters) -> Checked:
    """Compare images and labels with the digits of the embedded sample.

    Args:
        splits: the splits by name.
        where: the file's path, for error messages.
        parameters: ``orientation`` and ``labels`` override the recognized values.

    Returns:
        The splits with upright images and labels 0–9.

    Raises:
        InputError: if something is wrong that only the user can repair.
    """
    samples = [_take_sample(name, split) for name, split in splits.items()]
    conversions: list[str] = []
    digits = _digits_of_labels(samples, where, parameters)
    if digits:
        conversions.append(f"labels {_describe_digits(digits)}")
        samples = [one._replace(labels=np.take(digits, one.labels)) for one in samples]
    orientations = _orientations(samples, parameters)
    repaired: dict[str, Split] = {}
    warnings: list[str] = []
    if max(len(sample.images) for sample in samples) < _FEW:
        warnings.append(f"fewer than {_FEW} digits, which were not compared with real digits")
    for sample in samples:
        orientation = orientations[sample.name]
        if orientation != "as_is":
            conversions.append(f"{sample.name} images {orientation.replace('_', ' ')}")
        if parameters.labels != "as_is":
            warnings += _check_labels(sample, orientation, where, parameters, samples)
        images = reorient(splits[sample.name].images, orientation)
        repaired[sample.name] = Split(images, sample.labels.astype(np.uint8))
    return Checked(repaired, conversions, warnings)


def describe_duplicates(arrays: Mapping[str, ArrayLike]) -> Iterator[str]:
    """Yield warnings about digits that occur more than once.

    Args:
        arrays: ``x_train``, ``y_train``, ``x_test`` and ``y_test``.
    """
    counts = count_duplicates(arrays)
    training, test = len(arrays["y_train"]), len(arrays["y_test"])
    if counts["leaked"]:
        yield f"{counts['leaked']:,} of {test:,} {LEAKED}"
    if counts["conflicting"]:
        yield f"{counts['conflicting']:,} digits equal digits with another label"
    copies = ("training", counts["train"], training), ("test", counts["test"], test)
    for split, count, total in copies:
        if count > _COPIES * total:
            yield f"{count:,} of {total:,} {split} digits are copies of others"


def reorient(images: ArrayLike, orientation: str) -> ArrayLike:
    """Turn images upright; ``orientation`` is a key of ``ORIENTATIONS``."""
    turn = ORIENTATIONS[orientation]
    if orientation == "as_is":
        return images
    if isinstance(images, np.ndarray):
        return np.ascontiguousarray(turn(images))
    turned = Rows(
        images.shape,
        images.dtype,
        lambda start, stop: np.ascontiguousarray(turn(images[start:stop])),
    )
    turned.chunk, turned.keep = images.chunk, images.keep
    return turned


def _take_sample(name: str, split: Split) -> _Sample:
    rows = np.unique(np.linspace(0, len(split.labels) - 1, _SAMPLE).astype(np.intp))
    return _Sample(name, np.asarray(split.images[rows]), rows, split.labels)


def _agreement(images: Pixels, labels: Labels, orientation: str = "as_is") -> float:
    """Turn images upright, and return the share that is classified as labeled."""
    return float((classify(ORIENTATIONS[orientation](images)).labels == labels).mean())


def _digits_of_labels(
    samples: Sequence[_Sample], where: str, parameters: IngestionParameters
) -> tuple[int, ...] | None:
    """Return the digits that the labels 0, 1, 2, … stand for; None if labels are digits.

    Raises InputError if the labels are 1–10, and their digits cannot be recognized.
    """
    if isinstance(parameters.labels, tuple):
        return parameters.labels
    if max(one.labels.max() for one in samples) < CLASSES:
        return None
    images = np.concatenate([one.images for one in samples])
    labels = np.concatenate([one.image_labels for one in samples])
    orientations = ORIENTATIONS if parameters.orientation == "auto" else [parameters.orientation]
    fits = {
        digits: max(_agreement(images, np.take(digits, labels), one) for one in orientations)
        for digits in (TEN_IS_ZERO, ONE_IS_ZERO)
    }
    (digits, best), (_, other) = sorted(fits.items(), key=lambda item: -item[1])
    if len(images) >= _FEW and best >= _FITS and best - other >= _BETTER:
        return digits
    raise InputError(
        f"{where}: has labels 1–10, and it cannot be recognized which digits these stand for; if "
        f"10 stands for 0, add --params 'ingestion.labels={_no_spaces(TEN_IS_ZERO)}'; if each "
        f"label is the digit plus 1, add 'ingestion.labels={_no_spaces(ONE_IS_ZERO)}'."
    )


def _no_spaces(digits: Iterable[int]) -> str:
    return f"[{','.join(map(str, digits))}]"


def _describe_digits(digits: tuple[int, ...]) -> str:
    if digits == TEN_IS_ZERO:
        return "1–10 with 10 for 0"
    return "1–10 for 0–9" if digits == ONE_IS_ZERO else f"that stand for {_no_spaces(digits)}"


def _orientations(samples: Sequence[_Sample], parameters: IngestionParameters) -> dict[str, str]:
    """Return the orientation of each split; for small splits, that of the largest split."""
    if parameters.orientation != "auto":
        return {one.name: parameters.orientation for one in samples}
    largest = max(samples, key=lambda one: len(one.labels))
    default = _orientation(largest)
    return {one.name: default if len(one.images) < _FEW else _orientation(one) for one in samples}


def _orientation(sample: _Sample) -> str:
    fit = _agreement(sample.images, sample.image_labels)
    if len(sample.images) < _FEW or fit >= _DOUBTFUL:
        return "as_is"
    fits = {one: _agreement(sample.images, sample.image_labels, one) for one in ORIENTATIONS}
    best = max(fits, key=fits.__getitem__)
    return best if fits[best] >= max(_FITS, fit + _BETTER) else "as_is"


class Comparison(NamedTuple):
    """How well some images of a split fit their labels, judged by a classifier of real digits."""

    compared: int
    agreeing: float  # share of images that are classified as labeled
    clear: int  # images whose class is clear
    wrong: int  # clear images with another label
    orientation: str  # the orientation that clearly fits best; otherwise as_is


def compare(name: str, split: Split) -> Comparison:
    """Compare up to 1,000 images of a split with the digits of the embedded sample."""
    sample = _take_sample(name, split)
    orientation = _orientation(sample)
    found = classify(ORIENTATIONS[orientation](sample.images))
    agree = found.labels == sample.image_labels
    clear = int(found.clear.sum())
    return Comparison(
        len(agree), float(agree.mean()), clear, int((found.clear & ~agree).sum()), orientation
    )


def seem_wrong(clear: int, wrong: int) -> bool:
    """Return whether significantly more than 10% of the clear digits have other labels."""
    return wrong > _WRONG * clear + 2 * np.sqrt(_WRONG * (1 - _WRONG) * clear)


def _check_labels(
    sample: _Sample,
    orientation: str,
    where: str,
    parameters: IngestionParameters,
    samples: Sequence[_Sample],
) -> Iterator[str]:
    """Yield a warning if some labels seem wrong; raise InputError if most of them do."""
    if len(sample.images) < _FEW:
        return
    upright = ORIENTATIONS[orientation](sample.images)
    found = classify(upright)
    agree = found.labels == sample.image_labels
    if agree.mean() < _DOUBTFUL:
        reason = (
            (parameters.orientation == "auto" and _describe_mixture(upright, agree, sample))
            or _reason_of_order(found, sample, [one for one in samples if one is not sample])
            or (agree.mean() < _UNRELATED and _reason_of_content(found, agree, sample))
        )
        if reason:
            raise InputError(f"{where}: {reason}; {_AS_IS}.")
    elif mixture := _describe_mixture(upright, agree, sample):
        yield mixture
    others, count = (~found.digits).sum(), len(found.digits)
    if others > _OTHERS * count + 3 * np.sqrt(_OTHERS * (1 - _OTHERS) * count):
        yield f"{others / count:.0%} of the {sample.name} images do not resemble digits"
    clear, wrong = found.clear.sum(), (found.clear & ~agree).sum()
    if seem_wrong(int(clear), int(wrong)):
        yield (
            f"{wrong / clear:.0%} of the {sample.name} labels seem wrong "
            f"(of {clear:,} digits whose class is clear)"
        )


def _describe_mixture(upright: Pixels, agree: NDArray[np.bool_], sample: _Sample) -> str:
    """Describe images that are stored in another orientation than the rest; empty if none are."""
    rest = ~agree
    if rest.sum() >= _FEW:
        fits = {
            name: _agreement(upright[rest], sample.image_labels[rest], name)
            for name in ORIENTATIONS
        }
        best = max(fits, key=fits.__getitem__)
        if fits[best] >= _TURNED:
            return (
                f"at least {rest.mean() * fits[best]:.0%} of the {sample.name} images are "
                f"{best.replace('_', ' ')}, unlike the others; store all images alike"
            )
    return ""


def _reason_of_order(found: Classified, sample: _Sample, others: Sequence[_Sample]) -> str:
    """Describe labels that are displaced or permuted; empty if they are neither."""
    fit = (found.labels == sample.image_labels).mean() + _BETTER
    for shift in _SHIFTS:
        rows = (sample.rows + shift) % len(sample.labels)
        if (found.labels == sample.labels[rows]).mean() >= max(_FITS, fit):
            return (
                f"the {sample.name} labels are displaced by {abs(shift)} "
                f"row{'s' * (abs(shift) > 1)}: image 0 belongs to label "
                f"{shift % len(sample.labels):,}; np.roll(labels, {-shift}) moves them back"
            )
    counts = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(counts, (sample.image_labels, found.labels), 1)
    labels, digits = linear_sum_assignment(-counts)
    if counts[labels, digits].sum() >= max(_PERMUTED, fit) * len(sample.images):
        moved = (labels != digits) & counts.any(axis=1)
        pairs = ", ".join(
            f"{label} for {digit}"
            for label, digit in zip(labels[moved], digits[moved], strict=True)
        )
        alike = all(_agreement(one.images, digits[one.image_labels]) >= _FITS for one in others)
        remedy = (
            f"if that is so, add --params 'ingestion.labels={_no_spaces(digits)}'"
            if alike
            else "the labels of the other splits do not; correct these labels with "
            f"np.array({_no_spaces(digits)})[labels]"
        )
        return f"the {sample.name} labels stand for other digits ({pairs}); {remedy}"
    return ""


def _reason_of_content(found: Classified, agree: NDArray[np.bool_], sample: _Sample) -> str:
    return (
        f"only {agree.mean():.0%} of {len(agree):,} {sample.name} images are classified as labeled "
        f"by comparison with MNIST's digits, and {found.digits.mean():.0%} resemble digits; "
        "expected the digits 0–9 with their labels"
    )
