"""Test doubles: models whose results are known beforehand, for tests of your own data, suites and plug-ins.

==================  ==================================================================================================
`Constant`          Scores everything 0. AP is the base rate, ``sync_auroc`` 0.5.
`Deaf`              Sees only. No change of the sound moves a score: retention 1, ``sync_auroc`` exactly 0.5.
`Blind`             Hears only. No change of the faces moves a score.
`Additive`          The sum of both: never notices that a voice belongs to other lips.
`Oracle`            Knows the phonemes of a data set that ships them, such as ``demo-val``: notices every change.
`PhonemeOracle`     The same for tracks and phonemes (`Phoneme`) of your own.
==================  ==================================================================================================

The first four need neither weights nor options, and can also be named: ``asdbench run --model deaf``. Each is a
`asdbench.types.Scorer`, so it stands wherever a model does, without patching anything::

    import asdbench
    from asdbench.testing import Deaf

    def test_my_suite_changes_only_sound(tmp_path):
        run = asdbench.run(Deaf(), "my_suite.toml", "demo-val", limit=6, out=tmp_path / "run")
        assert (run.table["retention"].dropna() == 1).all()

Example:
    >>> import numpy as np
    >>> speech, silence = np.full(3 * 640, 3000, np.int16), np.zeros(3 * 640, np.int16)
    >>> faces = [np.full((40, 32), gray, np.uint8) for gray in (90, 93, 90)]
    >>> Deaf().score_track(speech, faces, fps=25).tolist() == Deaf().score_track(silence, faces, fps=25).tolist()
    True
    >>> Blind().score_track(speech, faces, fps=25) > Blind().score_track(silence, faces, fps=25)
    array([ True,  True,  True])
"""

from asdbench.adapters.calibration import Additive, Blind, Constant, Deaf
from asdbench.data.oracle import Oracle, Phoneme, PhonemeOracle

__all__ = ["Additive", "Blind", "Constant", "Deaf", "Oracle", "Phoneme", "PhonemeOracle"]
