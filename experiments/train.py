"""A decoder-only transformer, its training step, and one run from start to end."""

from __future__ import annotations

import os
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd

from experiments.corpus import Corpus, batch, windows
from experiments.plan import VOCABULARY, Run, Shape

jax.config.update("jax_default_matmul_precision", "highest")

CHUNK = 256
"""Steps that the compiled loop takes in one call."""
WARM_UP = 0.05
"""Share of the schedule in which the rate rises."""
HELD_OUT_BATCHES, CURVE_BATCHES = 128, 16
"""Held-out batches at the end of a run, and at each point of its curve."""
POINTS_PER_DECADE = 8
"""Points of a curve for each factor of ten in tokens."""
ADAM = optax.chain(optax.clip_by_global_norm(1.0), optax.scale_by_adam(b1=0.9, b2=0.98))


def device() -> str:
    """What trains, in plain words."""
    first = jax.devices()[0]
    if first.platform != "cpu":
        return str(first.device_kind)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} CPU core" + ("s" if cores != 1 else "")


def initial(shape: Shape, key: jax.Array) -> dict[str, jax.Array]:
    """Random weights: four matrices a block and the embedding, no vectors, so 12 L d^2 + V d."""
    L, d = shape.layers, shape.width
    sizes = {"qkv": (L, d, 3 * d), "out": (L, d, d), "up": (L, d, 4 * d), "down": (L, 4 * d, d)}
    keys = jax.random.split(key, len(sizes) + 1)
    weights = {
        name: jax.random.normal(one, size) / np.sqrt(size[1])
        for one, (name, size) in zip(keys, sizes.items(), strict=False)
    }
    for name in ("out", "down"):
        weights[name] /= np.sqrt(2 * L)
    return weights | {"embed": jax.random.normal(keys[-1], (VOCABULARY, d)) / np.sqrt(d)}


def normed(x: jax.Array) -> jax.Array:
    """Unit root mean square, without parameters."""
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6)


def rotated(x: jax.Array) -> jax.Array:
    """Rotary positions for (batch, position, head, size)."""
    half = x.shape[-1] // 2
    angle = jnp.arange(x.shape[1])[:, None] * 1000.0 ** (-jnp.arange(half) / half)
    cos, sin = jnp.cos(angle)[:, None], jnp.sin(angle)[:, None]
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def attention(x: jax.Array, heads: int) -> jax.Array:
    """Causal attention over queries, keys and values side by side in the last axis."""
    B, S, width = x.shape
    q, k, v = jnp.split(x.reshape(B, S, 3 * heads, width // (3 * heads)), 3, axis=2)
    scores = jnp.einsum("bqhk,bshk->bhqs", rotated(q), rotated(k)) / np.sqrt(q.shape[-1])
    weights = jax.nn.softmax(jnp.where(jnp.tri(S, dtype=bool), scores, -1e9))
    return jnp.einsum("bhqs,bshk->bqhk", weights, v).reshape(B, S, width // 3)


def loss(weights: dict[str, jax.Array], tokens: jax.Array, heads: int) -> jax.Array:
    """Mean cross-entropy of the next byte, nats."""
    x = weights["embed"][tokens[:, :-1]] * np.sqrt(weights["embed"].shape[1])
    for block in range(weights["qkv"].shape[0]):
        mixed = attention(normed(x) @ weights["qkv"][block], heads)
        x = x + mixed @ weights["out"][block]
        hidden = jax.nn.relu(normed(x) @ weights["up"][block])
        x = x + (hidden * hidden) @ weights["down"][block]
    logits = normed(x) @ weights["embed"].T
    return optax.softmax_cross_entropy_with_integer_labels(logits, tokens[:, 1:]).mean()


@partial(jax.jit, static_argnames="heads", donate_argnums=0)
def advance(state, tokens, rates, steps, *, heads):  # type: ignore[no-untyped-def]
    """Take the first `steps` of a chunk of batches."""

    def step(i, state):  # type: ignore[no-untyped-def]
        weights, moments = state
        slope = jax.grad(loss)(weights, tokens[i].astype(jnp.int32), heads)
        change, moments = ADAM.update(slope, moments)
        return jax.tree.map(lambda w, c: w - rates[i] * c, weights, change), moments

    return jax.lax.fori_loop(0, steps, step, state)


@partial(jax.jit, static_argnames="heads")
def losses(weights, tokens, *, heads):  # type: ignore[no-untyped-def]
    """Loss of each of a stack of batches."""
    return jax.lax.map(lambda one: loss(weights, one.astype(jnp.int32), heads), tokens)


def rates(run: Run) -> np.ndarray:
    """Learning rate of each step: linear warm-up, then a cosine to zero, cut off if unmatched."""
    whole = round(run.schedule * run.steps)
    rule = optax.warmup_cosine_decay_schedule(
        init_value=0.0,
        peak_value=run.learning_rate,
        warmup_steps=max(1, round(WARM_UP * whole)),
        decay_steps=max(2, whole),
    )
    # The first step is the first on the way up: at a rate of zero it would be lost.
    return np.asarray(rule(jnp.arange(1, run.steps + 1)), dtype=np.float32)


def stops(steps: int) -> list[int]:
    """Steps after which the curve has a point, evenly spaced in the logarithm, up to the last."""
    tenth = np.log10(max(steps, 10)) - 1
    points = np.logspace(1, tenth + 1, int(tenth * POINTS_PER_DECADE) + 2)
    return sorted({min(steps, round(point)) for point in points} | {steps})


def train(run: Run, corpus: Corpus, tick=lambda steps: None):  # type: ignore[no-untyped-def]
    """Row and curve of one run; `tick` hears of every step taken."""
    heads, size = run.shape.heads, {"context": run.context}
    starts = windows(corpus.train, seed=run.seed, **size)[: run.steps * run.batch]
    if len(starts) < run.steps * run.batch:
        raise ValueError(
            f"The run {run.name!r} needs {run.tokens} tokens and the corpus has "
            f"{len(corpus.train)}; train a larger model, or lengthen corpus.txt."
        )
    starts = starts.reshape(run.steps, run.batch)
    # The same held-out windows for every run.
    held = windows(corpus.held_out, seed=0, **size)[: HELD_OUT_BATCHES * run.batch]
    held = batch(corpus.held_out, held.reshape(-1, run.batch), **size)
    weights = initial(run.shape, jax.random.key(run.seed))
    if sum(one.size for one in weights.values()) != run.shape.params:
        raise AssertionError(f"{run.shape} has more or fewer parameters than were counted.")
    state, rate, at, curve = (weights, ADAM.init(weights)), rates(run), 0, []
    for stop in stops(run.steps):
        while at < stop:
            n = min(CHUNK, stop - at)
            chunk = np.zeros((CHUNK, run.batch, run.context + 1), np.uint8)
            chunk[:n] = batch(corpus.train, starts[at : at + n], **size)
            padded = np.pad(rate[at : at + n], (0, CHUNK - n))
            state = advance(state, chunk, padded, n, heads=heads)
            at += n
            tick(n)
        now = float(losses(state[0], held[:CURVE_BATCHES], heads=heads).mean())
        curve.append({"tokens": at * run.batch * run.context, "loss": now})
        if not np.isfinite(now):
            break
    last = np.asarray(losses(state[0], held, heads=heads))
    return run.row() | verdict(last, at == run.steps), pd.DataFrame(curve)


def verdict(last: np.ndarray, complete: bool) -> dict[str, object]:
    """Loss, its standard error over batches, and whether it passes the sanity checks."""
    mean, error = float(last.mean()), float(last.std(ddof=1) / np.sqrt(len(last)))
    if not complete or not np.isfinite(mean):
        return {"loss": None, "loss_se": None, "state": "unfinished"}
    # Guessing among all bytes costs ln 256; who does worse has not learned.
    return {"loss": mean, "loss_se": error, "state": "ok" if mean < np.log(256) else "diverged"}
