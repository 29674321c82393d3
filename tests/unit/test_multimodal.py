"""Checks of published exponents: rounding, and what is refused."""

import numpy as np
import pytest

import scalinglib as sl
from scalinglib import extrapolation, multimodal
from scalinglib.published import Reported


def printed(text):
    return Reported(text, "somebody", "Table 1")


def test_rounding_of_the_inputs_is_allowed_for():
    one = multimodal.check(
        printed("0.53"), multimodal.IMPLIED["a"], printed("0.30"), printed("0.33")
    )
    assert one.implied == pytest.approx(0.5238, abs=1e-4)
    assert one.low < 0.525 < one.high
    assert one.agrees


def test_rounding_of_the_result_is_allowed_for():
    fine = [printed("0.30000"), printed("0.33000")]
    assert multimodal.check(printed("0.52"), multimodal.IMPLIED["a"], *fine).agrees
    assert not multimodal.check(printed("0.53"), multimodal.IMPLIED["a"], *fine).agrees


def test_the_sum_of_exponents():
    assert multimodal.sum_of_exponents({"a": printed("0.53"), "b": printed("0.47")}).agrees
    assert not multimodal.sum_of_exponents({"a": printed("0.64"), "b": printed("0.46")}).agrees


def test_a_row_without_alpha_is_refused():
    with pytest.raises(sl.DataError, match="no alpha"):
        multimodal.audit({"beta": printed("0.3")})


def test_a_check_needs_inputs():
    with pytest.raises(sl.DataError, match="at least one"):
        multimodal.check(printed("0.5"), lambda: 0.5)


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_slopes_that_no_loss_has_are_refused(slope):
    with pytest.raises(sl.DataError, match="slope must lie"):
        multimodal.loss_of_slope(1.9, 0.15, slope)


def test_slope_and_loss_agree_with_the_frontier():
    law = multimodal.frontier_law(sl.published.EPOCH_2024)
    at = extrapolation.local_exponent(law, 1e21)
    loss = multimodal.loss_of_slope(law.E, law.alpha, float(at))
    assert loss == pytest.approx(float(sl.compute_optimal(sl.published.EPOCH_2024, 1e21).loss))


def test_no_scale_reaches_the_floor():
    law = sl.ShiftedPowerLaw(A=0.26, alpha=0.35, d=0.01, E=0.09)
    assert multimodal.scale_for(law, 0.09) == np.inf
    assert multimodal.scale_for(law, 2.0) == 0


def test_one_decoder_does_not_make_a_line():
    with pytest.raises(sl.DataError, match="two different decoders"):
        multimodal.VisionTower.through([1e9, 1e9], [1e8, 1e8], share=0.5)


def test_an_encoder_larger_than_its_model_is_refused():
    with pytest.raises(sl.DataError, match="smaller than the model"):
        multimodal.VisionTower.of_models([1e6, 2e6], widths=[512, 512], layers=24, share=0.5)
