"""The coverage study: what is stored meets its goals, and a new run gives what is stored.

The goals: a nominal 95 % interval of alpha covers between 92 and 99 % with 60 runs or more and
1 % noise; with 25 runs or fewer and 5 % noise, where it covers less, the bootstrap says so. Where
errors are shared within clusters, plain intervals miss and cluster intervals hold with 20 or more.
With few points, and beyond them, the bootstrap warns where its intervals miss, and profiles hold.
"""

import numpy as np
import pytest
from scipy.stats import binom

import scalinglib as sl
from benchmarks import few
from benchmarks.coverage import (
    CLUSTERS,
    CORRELATION,
    DATASETS,
    DEPENDENCE,
    INTERVALS,
    LOSSES,
    NOISE,
    RESAMPLES,
    RUNS,
    SHARE,
    SPREAD,
    STATISTICS,
    TABLES,
    TRUTH,
    cell,
    dataset,
    grouped,
    grouped_cell,
)

# An interval that just misses may just hit on another processor.
FLIPS = 3 / DATASETS


@pytest.fixture(scope="module")
def study():
    return sl.load("coverage")


def pick(study, runs, noise, loss):
    chosen = (study.runs == runs) & (study.noise == noise) & (study.loss == loss)
    return study[chosen].set_index("statistic")


def test_the_study_is_complete(study):
    assert len(study) == len(RUNS) * len(NOISE) * len(LOSSES) * len(STATISTICS)
    assert not study.duplicated(["runs", "noise", "loss", "statistic"]).any()
    assert (study.datasets == DATASETS).all()
    assert (study.resamples == RESAMPLES).all()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("runs", [60, 240])
def test_intervals_of_alpha_hold_where_they_should(study, runs, loss):
    assert 0.92 <= pick(study, runs, 0.01, loss).coverage["alpha"] <= 0.99


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("runs", [12, 25])
def test_few_noisy_runs_are_warned_about(study, runs, loss):
    noisy = pick(study, runs, 0.05, loss)
    assert (noisy.warned >= 0.95).all()
    assert noisy.coverage.min() < 0.9


def test_sound_data_are_not_warned_about(study):
    sound = study[(study.runs >= 25) & ~((study.runs == 25) & (study.noise == 0.05))]
    assert (sound.warned == 0).all()


def test_data_sets_are_reproducible_and_different():
    one, same, other = dataset(12, 0.01, 3), dataset(12, 0.01, 3), dataset(12, 0.01, 4)
    assert one.equals(same)
    assert not one.equals(other)
    assert not np.allclose(one.params, dataset(12, 0.05, 3).params)


def test_a_small_part_again(study):
    part = cell(12, 0.05, "huber", datasets=range(12)).set_index("statistic")
    assert part.warned.iloc[0] >= 0.9
    # Twelve of the 150 data sets: their coverage may differ from that of all by sampling.
    stored = pick(study, 12, 0.05, "huber").coverage
    assert (part.coverage - stored).abs().max() < 0.4


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("runs", RUNS)
def test_a_cell_again_in_full(study, runs, noise, loss):
    again = cell(runs, noise, loss).set_index("statistic")
    stored = pick(study, runs, noise, loss)
    assert (again.coverage - stored.coverage).abs().max() <= FLIPS + 1e-6
    assert (again.warned - stored.warned).abs().max() <= FLIPS + 1e-6
    assert again.width.to_numpy() == pytest.approx(stored.width.to_numpy(), rel=0.05)


@pytest.fixture(scope="module")
def clusters():
    keys = ["dependence", "clusters", "interval", "statistic"]
    return sl.load("coverage_clusters").set_index(keys).sort_index()


class TestClusters:
    def test_the_study_is_complete(self, clusters):
        cases = len(DEPENDENCE) * len(CLUSTERS) * len(INTERVALS) * len(STATISTICS)
        assert len(clusters) == cases
        assert clusters.index.is_unique
        assert (clusters.tables == TABLES).all()
        assert (clusters.resamples == RESAMPLES).all()

    @pytest.mark.parametrize("number", CLUSTERS)
    @pytest.mark.parametrize("dependence", ["size", "budget", "curve"])
    def test_plain_intervals_of_alpha_and_the_floor_miss(self, clusters, dependence, number):
        held = clusters.coverage[dependence, number, "plain"]
        assert held["alpha"] < 0.9
        assert held["E"] < 0.82

    @pytest.mark.parametrize("number", [20, 40])
    @pytest.mark.parametrize("dependence", DEPENDENCE)
    def test_many_clusters_hold(self, clusters, dependence, number):
        held = clusters.coverage[dependence, number, "cluster"]
        assert held.between(0.9 - 1e-6, 0.99).all()

    def test_few_clusters_fall_short_or_are_too_wide(self, clusters):
        few = clusters.coverage.loc[:, [6, 8], "cluster"]
        assert few.min() < 0.87
        assert clusters.width["size", 6, "cluster", "alpha"] > TRUTH.alpha

    def test_what_a_shared_error_leaves_alone(self, clusters):
        plain = clusters.xs("plain", level="interval")
        cluster = clusters.xs("cluster", level="interval")
        assert plain.coverage.loc["size", :, "beta"].between(0.92, 0.98).all()
        assert (plain.coverage.loc["budget", :, "a"] >= 0.99).all()
        assert (plain.width.loc["budget", :, "a"] > 1.5 * cluster.width.loc["budget", :, "a"]).all()

    @pytest.mark.parametrize("dependence", ["none", "size", "budget"])
    def test_errors_within_a_cluster(self, dependence):
        error = errors(dependence, 200)
        within = np.mean(error[:, 0] * error[:, 1]) / np.mean(error**2)
        assert error.std() == pytest.approx(SPREAD, rel=0.05)
        assert within == pytest.approx(0.0 if dependence == "none" else SHARE, abs=0.05)

    def test_errors_along_a_curve(self):
        error = errors("curve", 60)
        assert error.std() == pytest.approx(SPREAD, rel=0.05)
        neighbours = np.mean(error[:, 1:] * error[:, :-1]) / np.mean(error**2)
        assert neighbours == pytest.approx(CORRELATION, abs=0.02)

    def test_tables_are_reproducible_and_different(self):
        assert grouped("curve", 6, 1).equals(grouped("curve", 6, 1))
        assert not np.allclose(grouped("size", 6, 1).loss, grouped("none", 6, 1).loss)
        assert grouped("budget", 8, 0).cluster.nunique() == 8

    def test_a_small_part_again(self, clusters):
        part = grouped_cell("size", 8, tables=range(20)).set_index(["interval", "statistic"])
        stored = clusters.coverage["size", 8]
        # Hits among twenty tables, within what sampling at the stored share allows.
        for key, share in stored.items():
            low, high = binom.ppf([0.0005, 0.9995], 20, share)
            assert low <= round(20 * part.coverage[key]) <= high, key
        assert part.coverage["plain", "alpha"] < part.coverage["cluster", "alpha"]

    @pytest.mark.slow
    @pytest.mark.parametrize("number", CLUSTERS)
    @pytest.mark.parametrize("dependence", DEPENDENCE)
    def test_a_cell_again_in_full(self, clusters, dependence, number):
        again = grouped_cell(dependence, number).set_index(["interval", "statistic"])
        stored = clusters.loc[dependence, number]
        off = (again.coverage - stored.coverage).abs()
        assert off.max() <= 3 / TABLES + 1e-6
        widths = stored.width.reindex(again.index)
        assert again.width.to_numpy() == pytest.approx(widths.to_numpy(), rel=0.05)


@pytest.fixture(scope="module")
def short():
    return sl.load("coverage_few")


CELL = ["form", "points", "noise"]


class TestFew:
    def test_the_study_is_complete(self, short):
        assert list(short.groupby(CELL, sort=False).groups) == list(few.cells())
        assert not short.duplicated([*CELL, "target", "decades", "interval"]).any()
        assert short.tables.between(0.95 * few.TABLES, few.TABLES).all()

    def test_the_bootstrap_warns_where_its_intervals_miss(self, short):
        part = short[short.interval == "percentile"].groupby(CELL)
        lowest, warned = part.coverage.min(), part.warned.first()
        # Of a true 90 % a hundred tables show 84 or more; the noise estimated scatters.
        assert (warned[lowest < 0.84] >= 0.75).all()
        assert (warned[lowest < 0.75] >= 0.95).all()
        assert (
            (warned[lowest >= 0.92] <= 0.25)
            .loc[lambda one: one.index.get_level_values(1) > 20]
            .all()
        )

    def test_the_warnings_say_what_was_measured(self, short):
        def said(form, points, noise):
            fit, _, _ = few.draw(form, points, noise, 0)
            return " ".join(sl.bootstrap(fit, n=few.RESAMPLES).warnings)

        percentile = short[short.interval == "percentile"]
        quiet = percentile[(percentile.noise == few.NOISE[0]) | (percentile.form == "held floor")]
        assert f"as little as {100 * quiet.coverage.min():.0f} %" in said("line", 3, 0.01)
        held = (
            short[short.interval == "profile"].groupby(short.target.isin(["law", "run"])).coverage
        )
        low, high = (100 * held.agg(one) for one in ("min", "max"))
        for sentence in (said("line", 3, 0.01), said("plane", 12, 0.05)):
            assert f"predictions in {low[True]:.0f} to {high[True]:.0f} %" in sentence
            assert f"constants in {low[False]:.0f} to {high[False]:.0f} %" in sentence

    def test_profiles_of_predictions_hold_where_percentiles_do_not(self, short):
        ahead = short[short.target.isin(["law", "run"])].set_index(
            [*CELL, "target", "decades", "interval"]
        )
        held = ahead.coverage.unstack()
        allowed = binom.ppf(0.001, few.TABLES, 0.93) / few.TABLES
        assert (held.profile.dropna() >= allowed).all()
        assert held.percentile.min() < 0.3

    def test_a_small_part_again(self, short):
        keys = ["target", "decades", "interval"]
        part = few.few_cell("free floor", 5, 0.01, tables=range(12)).set_index(keys)
        stored = short[(short.form == "free floor") & (short.points == 5) & (short.noise == 0.01)]
        for row in stored.itertuples():
            low, high = binom.ppf([0.0005, 0.9995], 12, row.coverage)
            decades = row.decades if row.decades == row.decades else np.nan
            same = part.reset_index().query("target == @row.target and interval == @row.interval")
            same = same[(same.decades == decades) | (same.decades.isna() & np.isnan(decades))]
            assert low <= round(12 * same.coverage.iloc[0]) <= high, (row.target, row.interval)

    @pytest.mark.slow
    @pytest.mark.parametrize("cell", list(few.cells()), ids=str)
    def test_a_cell_again_in_full(self, short, cell):
        again = few.few_cell(*cell)
        stored = short[(short[CELL] == list(cell)).all(axis=1)]
        assert again.target.tolist() == stored.target.tolist()
        assert np.abs(again.coverage.to_numpy() - stored.coverage).max() <= 3 / few.TABLES + 1e-6


def errors(dependence, tables):
    """Log errors of many tables of 8 clusters, a row per cluster."""
    drawn = [grouped(dependence, 8, number) for number in range(tables)]
    return np.concatenate(
        [
            np.log(one.loss / TRUTH.loss(one.params, one.tokens)).to_numpy().reshape(8, -1)
            for one in drawn
        ]
    )
