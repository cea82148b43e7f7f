"""TalkNet (Tao et al., "Is Someone Speaking?", ACM Multimedia 2021)."""

from __future__ import annotations

from asdbench.adapters.base import Needs
from asdbench.adapters.demo_scoring import DemoScoredAdapter
from asdbench.adapters.torch_adapter import CROP_SIZE


class TalkNet(DemoScoredAdapter):
    """TalkNet; the 3-D convolution before the trunk gives the halo of 2 frames.

    The face embedding, 512 numbers per frame, is what leaves the trunk. The temporal blocks behind it normalise over
    the whole track and therefore run in ``score``.
    """

    name = "talknet"
    version = 1
    architecture = "talknet"
    needs = Needs(crop_size=CROP_SIZE, halo=2, needs_checkpoint=True)
