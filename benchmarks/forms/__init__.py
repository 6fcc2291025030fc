"""Every form of file that a user or a hub can hand in."""

from benchmarks.forms import pixels, scores, weights
from benchmarks.forms.target import Target

TARGETS: dict[str, Target] = pixels.TARGETS | scores.TARGETS | weights.TARGETS
