"""A curve of one variable: its formula, its parameters, and where a fit may start."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, make_dataclass
from inspect import Parameter, signature
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, numbers
from scalinglib.errors import DataError

Domain = Literal["any", "not negative", "positive"]


@dataclass(frozen=True, slots=True)
class Curve(ABC):
    """A frozen curve y(x) whose fields, besides `source`, are its parameters.

    Bring your own with `define`. Or write a frozen dataclass that states its formula in `formula`
    and starting points in `starts`: then the formula must take complex parameters, along which
    derivatives are exact, and `bounds` holds the range of each parameter that has one.

    Examples
    --------
    >>> import numpy as np
    >>> import scalinglib as sl
    >>> Decay = sl.Curve.define(lambda x, top, rate: top * np.exp(-rate * x), starts=[1.0, 0.1])
    >>> fit = sl.fit_curve(Decay, [0.0, 1.0, 2.0, 3.0], [4.0, 2.0, 1.0, 0.5])
    >>> print(fit.params.round(6).to_dict())
    {'top': 4.0, 'rate': 0.693147}
    """

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {}
    domain: ClassVar[Domain] = "any"
    exact: ClassVar[bool] = True
    gradient: ClassVar[Callable[..., Any] | None] = None

    @classmethod
    def define(
        cls,
        formula: Callable[..., Any],
        *,
        starts: ArrayLike | Callable[[Floats, Floats], ArrayLike],
        bounds: Mapping[str, tuple[float, float]] | None = None,
        gradient: Callable[..., Any] | None = None,
        exact: bool = False,
        domain: Domain = "any",
        name: str = "Curve",
    ) -> type[Self]:
        """Make a curve of a formula, for `fit_curve` and all that takes its fits.

        Parameters
        ----------
        formula : callable
            y of x and of parameters, elementwise, such as ``lambda x, a, b: a * x**b``; the
            parameters get the names of its arguments.
        starts : array_like, shape (p,) or (k, p), or callable
            Starting points, or a function of x and y that returns them.
        bounds : mapping of str to (float, float), optional
            Ranges of parameters; those not named are free.
        gradient : callable, optional
            The derivatives by each parameter, a sequence of p arrays, of the same arguments.
        exact : bool, optional
            Whether the formula takes complex parameters, so that derivatives can be taken along
            the imaginary axis. Otherwise, and without a gradient, they are central differences.
        domain : {"any", "not negative", "positive"}, optional
            Where the formula is defined; other x are refused by position.
        name : str, optional
            For messages.

        Returns
        -------
        type of Curve
            Write the class out instead if a process pool must send it to workers.

        Raises
        ------
        DataError
            If the formula names no parameters, or `bounds` one that it does not have.

        Examples
        --------
        >>> Line = Curve.define(lambda x, a, b: a + b * x, starts=[0.0, 1.0], name="Line")
        >>> print(Line.names(), Line(a=1.0, b=2.0).value([0.0, 3.0]))
        ('a', 'b') [1. 7.]
        """
        arguments = list(signature(formula).parameters.values())[cls._variables() :]
        names = [one.name for one in arguments]
        if not names or any(one.kind == Parameter.VAR_POSITIONAL for one in arguments):
            raise DataError(
                "formula must name its parameters after what it is a function of, such as "
                "lambda x, a, b: a * x**b."
            )
        limits = dict(bounds or {})
        for one, (low, high) in limits.items():
            if one not in names or not low < high:
                raise DataError(
                    f"bounds[{one!r}] = ({low:g}, {high:g}) must be a rising pair for one of the "
                    f"parameters {', '.join(names)}."
                )

        def begin(kind: type[Self], x: Floats, y: Floats) -> Floats:
            rows = starts(x, y) if callable(starts) else starts
            return np.atleast_2d(np.asarray(rows, dtype=np.float64))

        space = {
            "formula": staticmethod(cls._called(formula)),
            "starts": classmethod(begin),
            "bounds": limits,
            "gradient": gradient and staticmethod(cls._called(gradient)),
            "exact": exact,
            "domain": domain,
        }
        fields_ = [(one, float) for one in names]
        return make_dataclass(name, fields_, bases=(cls,), namespace=space, frozen=True)

    @classmethod
    def _variables(cls) -> int:
        return 1

    @staticmethod
    def _called(function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    @classmethod
    def inside(cls, x: Floats) -> Floats:
        """The points `x`, none of which lies where the curve is not defined."""
        good = {"any": x == x, "not negative": x >= 0, "positive": x > 0}[cls.domain]
        if not good.all():
            at = int(np.flatnonzero(~good)[0])
            near = "; set noise about zero to 0" if cls.domain == "not negative" else ""
            raise DataError(
                f"x is {x.flat[at]:g} at position {at}, and {cls.__name__} is defined only for x "
                f"that is {cls.domain}; leave the point out{near}."
            )
        return x

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Parameters in the order of the constructor."""
        return tuple(field.name for field in fields(cls) if field.name != "source")

    @staticmethod
    @abstractmethod
    def formula(x: Floats, *params: Any) -> Any:
        """The curve at `x`, elementwise, analytic in every parameter."""

    @classmethod
    @abstractmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Starting points (k, p) for points `x`, `y` of shape (n,)."""

    @property
    def params(self) -> tuple[float, ...]:
        """The parameters, in the order of `names`."""
        return tuple(getattr(self, name) for name in self.names())

    def value(self, x: ArrayLike) -> Floats:
        """The curve at `x`.

        Parameters
        ----------
        x : array_like
            Where, in the unit of the curve.

        Returns
        -------
        ndarray of float64
            A scalar for scalar input.

        Raises
        ------
        DataError
            If a point lies where the curve is not defined.

        Examples
        --------
        >>> from scalinglib.laws import LogLinear
        >>> print(LogLinear(start=1.0, gain=0.5).value([1.0, 4.0]))
        [1. 2.]
        """
        result: Floats = self.formula(self.inside(numbers("x", x)), *self.params)
        return result

    @classmethod
    def of(cls, params: ArrayLike) -> Self:
        """The curve with these parameters, in the order of `names`."""
        return cls(*(float(value) for value in np.asarray(params)))
