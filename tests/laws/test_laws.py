"""What holds for every law, over one list of them, and what is special to one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib import laws, published
from scalinglib.laws import discounted, fit_product, params_for_tokens

HOFFMANN = sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
KAPLAN = sl.KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
MUENNIGHOFF = sl.ChinchillaLaw(
    E=np.exp(0.6254804), A=np.exp(6.255414), B=np.exp(7.3049974), alpha=0.3526596, beta=0.3526596
)

chinchilla = st.builds(
    sl.ChinchillaLaw,
    E=st.floats(0.0, 3.0), A=st.floats(1.0, 1e4), B=st.floats(1.0, 1e5),
    alpha=st.floats(0.05, 0.9), beta=st.floats(0.05, 0.9),
)  # fmt: skip
kaplan = st.builds(
    sl.KaplanLaw,
    alpha_N=st.floats(0.02, 0.5), alpha_D=st.floats(0.02, 0.5),
    N_c=st.floats(1e12, 1e15), D_c=st.floats(1e12, 1e15),
)  # fmt: skip
steps = st.builds(
    laws.StepsLaw,
    alpha_N=st.floats(0.02, 0.5), alpha_S=st.floats(0.2, 1.5),
    N_c=st.floats(1e12, 1e15), S_c=st.floats(1e2, 1e4),
)  # fmt: skip
decay = st.floats(0.1, 1e4)
repeated = st.builds(sl.DataConstrainedLaw, chinchilla, R_D=decay, R_N=decay)
power = st.builds(sl.PowerLaw, A=st.floats(0.1, 1e4), alpha=st.floats(0.01, 1.0), E=st.floats(0, 3))
saturating = st.builds(
    sl.SaturatingLaw, A=st.floats(0.1, 1e3), d=st.floats(0, 1e-2), alpha=st.floats(0.05, 1.0)
)
shifted = st.builds(
    sl.ShiftedPowerLaw,
    A=st.floats(0.1, 10.0), alpha=st.floats(0.05, 1.5), d=st.floats(0.01, 10.0),
    E=st.floats(0.0, 1.0),
)  # fmt: skip
overtrained = st.builds(
    sl.OvertrainingLaw,
    E=st.floats(0.5, 3), a=st.floats(50, 500), b=st.floats(50, 500), eta=st.floats(0.08, 0.3),
)  # fmt: skip

joint = st.builds(
    laws.JointLaw,
    E=st.floats(0.0, 3.0), A=st.floats(1.0, 1e4), B=st.floats(1.0, 1e5),
    alpha=st.floats(0.05, 0.9), beta=st.floats(0.05, 0.9), k=st.floats(0.05, 2.0),
)  # fmt: skip
solvable = st.builds(
    laws.SolvableLaw,
    E=st.floats(0.0, 3.0), A=st.floats(1.0, 1e4), alpha=st.floats(0.05, 1.5),
    r=st.floats(0.1, 1e3),
)  # fmt: skip

N, D = (
    part.ravel() for part in np.meshgrid(np.geomspace(1e7, 1e10, 5), np.geomspace(1e9, 1e12, 5))
)
RUNS = pd.DataFrame({"params": N, "tokens": D})
OVER = pd.DataFrame({"params": [1e7, 8e7, 1.5e8, 4e8, 1e7]})
OVER["tokens"] = OVER.params * [20, 20, 20, 20, 320]
AGAIN = pd.DataFrame(
    product([1e8, 1e9, 1e10], [1e9, 1e10], [1, 2, 4, 8, 16, 40]),
    columns=["params", "unique_tokens", "epochs"],
)
AGAIN["tokens"] = AGAIN.unique_tokens * AGAIN.epochs
SCALE = np.geomspace(1e-2, 1e2, 40)
LARGE = np.geomspace(1e9, 1e12, 20)


def of_runs(fit):
    return lambda law: fit(RUNS.assign(loss=law.loss(N, D))).law


def of_points(fit, x, **options):
    return lambda law: fit(x, law.loss(x), **options).law


def of_curve(x):
    return lambda law: sl.fit_curve(type(law), x, law.value(x)).law


def of_repetition(law):
    loss = law.loss(AGAIN.params, AGAIN.tokens, AGAIN.unique_tokens)
    return sl.fit_data_constrained(AGAIN.assign(loss=loss), base=law.base).law


def of_ratios(law):
    return sl.fit_overtraining(OVER.assign(loss=law.chinchilla.loss(OVER.params, OVER.tokens))).law


def of_corpora(law):
    plain = replace(law, Q=1.0)
    parts = [
        RUNS.assign(corpus=name, loss=one.loss(N, D))
        for name, one in zip("ab", (plain, law), strict=True)
    ]
    found, _ = fit_product(pd.concat(parts, ignore_index=True), reference="a")
    return found["b"]


POSITIVE = ("must be positive", (0, -1.0, np.nan, [1e9, 0.0]))
NOT_NEGATIVE = ("must be 0 or more", (-1.0, np.nan, [1e9, -1.0]))


@dataclass(frozen=True)
class Row:
    """A law, a `place` by argument, and what its family does.

    The prediction `call` moves with each argument in the direction of its sign, and reaches the
    `limit` where these are infinite. `fit` gives a law back from its own predictions, and the
    `others` as well. `refused` is a sentence and the values that deserve it.
    """

    law: Any
    place: Mapping[str, float]
    moves: Mapping[str, int]
    limit: float | None = None
    family: Any = None
    fit: Callable[[Any], Any] | None = None
    others: Sequence[Any] = ()
    call: str = "loss"
    refused: tuple[str, tuple] = POSITIVE

    def predict(self, law=None, **changed):
        return getattr(law or self.law, self.call)(**{**self.place, **changed})


def curve(law, sign, **known):
    return Row(law, {"x": 2.0}, {"x": sign}, call="value", refused=("", ()), **known)


def rectified(E, log_B, head, beta):
    """A head start that is worth `head` times 1e10 tokens to the power of beta."""
    return laws.RectifiedLaw(E, log_B, np.log(head) + beta * np.log(1e10), beta)


PLACE, DOWN = {"N": 1e9, "D": 2e10}, {"N": -1, "D": -1}
LAWS = {
    "power": Row(sl.PowerLaw(A=11.0, alpha=0.076, E=0.5), {"x": 1e8}, {"x": -1}, 0.5, power,
                 of_points(sl.fit_power_law, LARGE, offset=True)),
    "chinchilla": Row(HOFFMANN, PLACE, DOWN, 1.69, chinchilla, of_runs(sl.fit_chinchilla)),
    "interaction": Row(laws.JointLaw(1.69, 406.4, 410.7, 0.34, 0.28, g=0.1), PLACE, {"D": -1},
                       fit=of_runs(laws.fit_joint)),
    "outer": Row(laws.JointLaw(1.69, 406.4, 410.7, 0.34, 0.28, k=0.6), PLACE, DOWN, 1.69, joint,
                 of_runs(partial(laws.fit_joint, form="outer"))),
    "solvable": Row(laws.SolvableLaw(1.69, 406.4, 0.34, 20.0), PLACE, DOWN, 1.69, solvable,
                    of_runs(laws.fit_solvable), [laws.SolvableLaw(0.5, 40.0, 0.15, 4.0),
                                                 laws.SolvableLaw(1.0, 1e4, 1.2, 60.0)]),
    "kaplan": Row(KAPLAN, PLACE, DOWN, 0.0, kaplan, of_runs(sl.fit_kaplan)),
    "steps": Row(laws.StepsLaw(alpha_N=0.077, alpha_S=0.76, N_c=6.5e13, S_c=2.1e3),
                 {"N": 1e9, "S": 1e4}, {"N": -1, "S": -1}, 0.0, steps),
    "batch": Row(laws.CriticalBatch(B_star=2e8, alpha_B=0.21), {"loss": 3.0}, {"loss": -1}, 0.0,
                 call="tokens"),
    "split": Row(laws.ComputeSplit(1.3e9, 0.73, 2.0e6, 0.24, 5.4e3, 0.03, 2e10, 0.27),
                 {"C": 1e21}, {"C": 1}, np.inf, call="params"),
    "repeated": Row(
        sl.DataConstrainedLaw(MUENNIGHOFF, R_D=15.4, R_N=5.3), PLACE | {"U": 1e9}, DOWN | {"U": -1},
        family=repeated, fit=of_repetition, others=[
            sl.DataConstrainedLaw(MUENNIGHOFF, *decays)
            for decays in ((3, 1), (3, 20), (60, 1), (60, 20))]),
    "saturating": Row(sl.SaturatingLaw(A=3.0, d=0.04, alpha=0.5), {"x": 9.0}, {"x": -1}, 0.6,
                      saturating, of_points(sl.fit_saturating, SCALE)),
    "shifted": Row(
        sl.ShiftedPowerLaw(A=0.26, alpha=0.35, d=0.01, E=0.09), {"x": 9.0}, {"x": -1}, 0.09,
        shifted, of_points(sl.fit_shifted_power_law, SCALE)),
    "over-trained": Row(
        sl.OvertrainingLaw(E=1.84, a=212.0, b=367.0, eta=0.136), {"C": 1e20, "M": 20.0}, {"C": -1},
        1.84, overtrained, of_ratios),
    "product": Row(laws.ProductLaw(K=300.0, alpha=0.12, beta=0.08, Q=3.0), PLACE, DOWN, 0.0,
                   fit=of_corpora),
    "precision": Row(published.law("kumar2024/precision"), PLACE | {"bits": 4.0},
                     {"N": -1, "bits": -1}),
    "best of n": Row(sl.BestOfNLaw(alpha=0.5, beta=0.1), {"kl": 4.0}, {}, fit=of_curve(SCALE),
                     call="reward", refused=NOT_NEGATIVE),
    "reinforcement": Row(sl.ReinforcementLaw(alpha=0.5, beta=0.1), {"kl": 4.0}, {},
                         fit=of_curve(SCALE), call="reward", refused=NOT_NEGATIVE),
    "falling sigmoid": curve(laws.FallingSigmoid(low=0.25, high=0.9, slope=-2.0, middle=3.0), -1,
                             limit=0.25, fit=of_curve(np.linspace(0, 6, 30))),
    "sigmoid": curve(laws.Sigmoid(low=0.25, high=0.9, slope=2.0, middle=3.0), 1, limit=0.9),
    "coverage": curve(laws.ExponentiatedPowerLaw(a=4.33, b=0.38), 1, limit=1.0,
                      fit=of_curve(np.geomspace(1, 1e4, 12))),
    "log-linear": curve(laws.LogLinear(start=0.1, gain=0.05), 1, limit=np.inf, fit=of_curve(SCALE)),
    "broken": curve(sl.BrokenPowerLaw(a=0.1, b=2.0, c0=0.1, c1=1.0, d=3.0, f=0.05), -1, limit=0.1),
    "rectified": curve(rectified(0.5, 8.0, 0.2, 0.3), -1, fit=of_curve(LARGE), others=[
        rectified(1.2, 5.7, 0.8, 0.25), rectified(0.5, 4.0, 0.2, 0.6),
        rectified(2.0, 8.0, 3.0, 0.15)]),
    "error": curve(laws.ExponentialErrorLaw(epsilon=0.857, k=2.21, gamma=0.715), 1, limit=0.857,
                   fit=of_curve(np.linspace(2, 4, 12))),
}  # fmt: skip
each = pytest.mark.parametrize("row", LAWS.values(), ids=LAWS)


def cases(pick):
    """Rows with what `pick` finds in them, as arguments of a test."""
    return [pytest.param(row, one, id=f"{name} {one if isinstance(one, str) else number}")
            for name, row in LAWS.items() for number, one in enumerate(pick(row))]  # fmt: skip


@each
def test_laws_are_immutable_and_equal_whatever_their_source(row):
    cited = replace(row.law, source="Eq. 10")
    assert cited == row.law
    assert hash(cited) == hash(row.law)
    with pytest.raises(FrozenInstanceError):
        setattr(row.law, fields(row.law)[0].name, 1.0)


@each
def test_predictions_broadcast_and_keep_scalars(row):
    assert np.ndim(row.predict()) == 0
    shapes = dict(zip(row.place, [(3, 1), (4,), (2, 1, 1)], strict=False))
    wide = {name: np.full(shape, row.place[name]) for name, shape in shapes.items()}
    assert row.predict(**wide).shape == np.broadcast_shapes(*shapes.values())


@pytest.mark.parametrize(("row", "name"), cases(lambda row: row.place if row.refused[1] else ()))
def test_places_outside_the_domain_are_refused_by_name(row, name):
    words, values = row.refused
    for bad in values:
        with pytest.raises(sl.DataError, match=f"^{name} {words}"):
            row.predict(**{name: bad})
    with pytest.raises(sl.DataError, match=f"^{name} must hold numbers only"):
        row.predict(**{name: "70B"})


@pytest.mark.parametrize(
    ("row", "limit"), cases(lambda row: () if row.limit is None else (row.limit,))
)
def test_far_away_a_prediction_reaches_its_limit(row, limit):
    assert row.predict(**dict.fromkeys(row.moves, np.inf)) == pytest.approx(limit)


RANGES = {"N": (5, 14), "D": (5, 14), "U": (5, 12), "S": (1, 8), "C": (16, 28), "M": (-1, 4),
          "x": (0, 14), "loss": (-1, 2), "bits": (0, 1.2)}  # fmt: skip


@pytest.mark.parametrize(("row", "name"), cases(lambda row: row.moves))
@given(data=st.data())
def test_predictions_move_one_way(row, name, data):
    law = data.draw(st.just(row.law) if row.family is None else row.family)
    place = {key: 10 ** data.draw(st.floats(*RANGES[key]), label=key) for key in row.place}
    more = place[name] * data.draw(st.floats(1.01, 100.0), label="factor")
    one, other = row.predict(law, **place), row.predict(law, **{**place, name: more})
    assert row.moves[name] * (other - one) >= -1e-12 * abs(one)


@pytest.mark.parametrize(
    ("row", "law"), cases(lambda row: (row.law, *row.others) if row.fit else ())
)
def test_a_fit_returns_the_law_that_made_its_runs(row, law):
    found = row.fit(law)
    for name in (field.name for field in fields(law) if field.compare):
        value = getattr(law, name)
        same = value if name == "base" else pytest.approx(value, rel=1e-5, abs=1e-7)
        assert getattr(found, name) == same, name


PRINTED = {
    "power": 0.5 + 11 / 1e8**0.076,
    "chinchilla": 1.69 + 406.4 / 1e9**0.34 + 410.7 / 2e10**0.28,
    "interaction": 1.69 + 406.4 / 1e9**0.34 + 410.7 * 1e9**0.1 / 2e10**0.28,
    "outer": 1.69 + ((406.4 / 1e9**0.34) ** (1 / 0.6) + (410.7 / 2e10**0.28) ** (1 / 0.6)) ** 0.6,
    "kaplan": ((6.4e13 / 1e9) ** (0.076 / 0.103) + 1.8e13 / 2e10) ** 0.103,
    "steps": (6.5e13 / 1e9) ** 0.077 + (2.1e3 / 1e4) ** 0.76,
    "batch": 2e8 / 3 ** (1 / 0.21),
    "split": 1.3e9 * (1e21 / 8.64e19) ** 0.73,
    "saturating": 3 * (1 / 9 + 0.04) ** 0.5,
    "shifted": 0.09 + 0.26 / 9.01**0.35,
    "over-trained": 1.84 + (212 * 20**0.136 + 367 / 20**0.136) / 1e20**0.136,
    "product": 300 / 1e9**0.12 / (3 * 2e10) ** 0.08,
    "best of n": 2 * (0.5 - 0.1 * 2),
    "reinforcement": 2 * (0.5 - 0.1 * np.log(2)),
    "sigmoid": 0.25 + 0.65 / (1 + np.exp(2)),
    "coverage": np.exp(-4.33 / 2**0.38),
    "log-linear": 0.1 + 0.05,
    "rectified": 0.5 + np.exp(8) / (0.2 * 1e10**0.3 + 2**0.3),
    "error": 0.857 - 2.21 * np.exp(-0.715 * 2),
}


@pytest.mark.parametrize(("name", "value"), PRINTED.items())
def test_a_prediction_is_that_of_the_printed_equation(name, value):
    assert LAWS[name].predict() == pytest.approx(value, rel=1e-13)


def test_kaplan_law_becomes_a_power_law_in_each_limit():
    assert KAPLAN.loss(1e9, np.inf) == pytest.approx((6.4e13 / 1e9) ** 0.076, rel=1e-12)
    assert KAPLAN.loss(np.inf, 1e9) == pytest.approx((1.8e13 / 1e9) ** 0.103, rel=1e-12)


def test_power_law_scale_constant_is_kaplans_form():
    law = sl.PowerLaw(A=11.0, alpha=0.076)
    assert (law.x_c / 1e8) ** 0.076 == pytest.approx(law.loss(1e8), rel=1e-12)


def test_saturating_law_without_shift_is_a_power_law():
    pure = sl.PowerLaw(A=3.0, alpha=0.4, E=0.5).loss(SCALE)
    np.testing.assert_allclose(sl.SaturatingLaw(A=3.0, d=0.0, alpha=0.4, E=0.5).loss(SCALE), pure)


def test_data_seen_once_is_the_base_law():
    law = sl.DataConstrainedLaw(MUENNIGHOFF, R_D=15.4, R_N=5.3)
    D = 1e10
    N = 0.5 * params_for_tokens(MUENNIGHOFF, D)
    assert law.effective_tokens(D, D) == D
    assert law.effective_params(N, D) == N
    assert law.loss(N, D, D) == pytest.approx(MUENNIGHOFF.loss(N, D), rel=1e-14)


def test_params_for_tokens_inverts_the_compute_optimal_split():
    best = sl.compute_optimal(HOFFMANN, np.geomspace(1e18, 1e26, 9))
    np.testing.assert_allclose(params_for_tokens(HOFFMANN, best.D), best.N, rtol=1e-12)


@given(a=st.floats(0.05, 1.5), n=st.floats(0.5, 4.0), d=st.floats(0.5, 4.0))
def test_the_solvable_law_is_the_best_resolution_of_its_theory(a, n, d):
    """Its loss at the modes learned, against every number of modes (Simon et al. 2024)."""
    N, D = 10**n, 10**d
    # At the best ridge no more modes are learned than there are parameters or samples.
    z = min(N, D) * np.geomspace(0.05, 1, 100_001)[:-1]
    q = z * a / (1 + a)
    theory = z ** -(1 + a) * (z - q) * N * D / ((N - q) * (D - q) - (z - q) ** 2)
    law = laws.SolvableLaw(E=0.0, A=1.0, alpha=a, r=1.0)
    assert law.loss(N, D) == pytest.approx(theory.min(), rel=1e-6)


def test_the_solvable_law_with_one_as_exponent_is_a_sum():
    law = laws.SolvableLaw(E=1.0, A=50.0, alpha=1.0, r=20.0)
    assert law.loss(1e3, 3e4) == pytest.approx(1 + 50 / 1e3 + 50 * 20 / 3e4, rel=1e-12)


@given(law=st.one_of(joint, solvable), g=st.floats(-0.04, 0.5), C=st.floats(1e16, 1e28))
def test_joint_and_solvable_laws_split_a_budget_where_their_loss_is_lowest(law, g, C):
    law = replace(law, g=g) if isinstance(law, laws.JointLaw) else law
    best = sl.compute_optimal(law, C)
    around = sl.isoflop_curve(law, C, best.N * np.array([0.5, 0.97, 1.03, 2]))
    assert (around.loss >= best.loss * (1 - 1e-12)).all()


def test_discount_without_decay_is_no_discount():
    assert discounted(40.0, 1.0, 1e12) == pytest.approx(40.0, rel=1e-9)


sizes = st.floats(1e5, 1e14)
budgets = st.floats(1e16, 1e28)
factors = st.floats(1.01, 100.0)


@given(law=repeated, N=sizes, D=sizes, share=st.floats(0.01, 1.0))
def test_repeated_data_are_worth_at_most_fresh_ones(law, N, D, share):
    fresh, repeated = law.loss(N, D, D), law.loss(N, D, share * D)
    assert repeated >= fresh * (1 - 1e-12)
    assert law.effective_tokens(D, share * D) <= D * (1 + 1e-12)
    assert law.effective_tokens(D, share * D) >= share * D * (1 - 1e-12)


@given(repeats=st.floats(0.0, 1e3), R=decay, factor=factors)
def test_more_repetition_is_never_worth_less(repeats, R, factor):
    one, more = discounted(1 + repeats, 1.0, R), discounted(1 + factor * repeats, 1.0, R)
    assert more >= one
    assert more <= 1 + R


@given(law=chinchilla, C=budgets, factor=factors)
def test_the_optimum_spends_the_budget_at_a_minimum_that_scales(law, C, factor):
    best, more = sl.compute_optimal(law, C), sl.compute_optimal(law, factor * C)
    assert sl.training_flops(best.N, best.D) == pytest.approx(C, rel=1e-12)
    around = sl.isoflop_curve(law, C, best.N * np.array([1 / factor, factor]))
    assert (around.loss >= best.loss * (1 - 1e-14)).all()
    # Equation 4 of Hoffmann et al.: alpha A N^-alpha = beta B D^-beta.
    size, data = law.alpha * law.A * best.N**-law.alpha, law.beta * law.B * best.D**-law.beta
    assert size == pytest.approx(data, rel=1e-10)
    assert law.a + law.b == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(more.N / best.N, factor**law.a, rtol=1e-10)
    np.testing.assert_allclose(more.D / best.D, factor**law.b, rtol=1e-10)


@given(law=chinchilla, N=sizes, D=sizes)
def test_isoloss_inverts_the_loss(law, N, D):
    loss = law.loss(N, D)
    share = law.B * D**-law.beta / loss
    curve = sl.isoloss_curve(law, loss, N)
    # Tokens are known as well as their share of the loss is, and rounding limits that.
    if share > 1e-3:
        np.testing.assert_allclose(curve.D, D, rtol=1e-9 / law.beta)


@given(N=st.integers(1, 10**12), D=st.integers(1, 10**14))
def test_flops_round_trip(N, D):
    assert sl.training_flops(N, D) / 6 / N == pytest.approx(D, rel=1e-14)


@given(law=kaplan, N=sizes, D=sizes, factor=factors)
def test_kaplan_law_is_the_same_in_any_unit(law, N, D, factor):
    rescaled = sl.KaplanLaw(law.alpha_N, law.alpha_D, factor * law.N_c, factor * law.D_c)
    assert rescaled.loss(factor * N, factor * D) == pytest.approx(law.loss(N, D), rel=1e-12)
