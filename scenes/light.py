"""The light of a moment: sun, sky, lamps, weather and what the sensor makes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """Light on the scene. Colours are blue, green, red factors around 1.

    `sun` and `sky` are strengths (0 = none), `azimuth_deg` is where the sun stands, measured
    from +y towards +x, `elevation_deg` above the horizon. `lamps` is the strength of street
    lamps, `rain` and `haze` go from 0 to 1, `gain` is the exposure, `noise` the sensor's noise
    in grey levels.
    """

    sun: float = 0.75
    sky: float = 0.5
    azimuth_deg: float = -120.0
    elevation_deg: float = 48.0
    sun_colour: Colour = (0.9, 0.98, 1.04)
    sky_colour: Colour = (1.06, 1.0, 0.95)
    lamps: float = 0.0
    rain: float = 0.0
    haze: float = 0.25
    gain: float = 1.0
    noise: float = 2.2

    @property
    def towards_sun(self) -> Floats:
        """Unit vector to the sun in the street frame."""
        azimuth, elevation = math.radians(self.azimuth_deg), math.radians(self.elevation_deg)
        flat = math.cos(elevation)
        return np.array([flat * math.sin(azimuth), flat * math.cos(azimuth), math.sin(elevation)])

    def on(self, normal: Floats) -> Floats:
        """Light (blue, green, red) on a surface with this unit normal."""
        facing = max(0.0, float(normal @ self.towards_sun))
        dome = 0.62 + 0.38 * float(normal[2])
        return (
            self.sun * facing * np.array(self.sun_colour)
            + self.sky * dome * np.array(self.sky_colour)
            + self.lamps * (0.35 + 0.3 * max(0.0, float(normal[2]))) * LAMP_COLOUR
        )

    def mixed(self, other: Light, share: float) -> Light:
        """Between this light (`share` 0) and the other (1)."""

        def mix(name: str) -> float:
            return float(getattr(self, name) * (1 - share) + getattr(other, name) * share)

        return replace(
            self,
            sun_colour=_blended(self.sun_colour, other.sun_colour, share),
            sky_colour=_blended(self.sky_colour, other.sky_colour, share),
            **{name: mix(name) for name in NUMBERS},
        )


def _blended(first: Colour, second: Colour, share: float) -> Colour:
    blue, green, red = (a * (1 - share) + b * share for a, b in zip(first, second, strict=True))
    return blue, green, red


@dataclass(frozen=True)
class Change:
    """A light on its way from `first` (`share` 0) to `second` (1)."""

    first: Light
    second: Light
    share: float


NUMBERS = ("sun", "sky", "lamps", "rain", "haze", "gain", "noise")
LAMP_COLOUR = np.array([0.62, 0.86, 1.0])

NOON = Light()
MORNING = Light(
    sun=0.65, azimuth_deg=-60.0, elevation_deg=24.0, sun_colour=(0.72, 0.92, 1.1), haze=0.45
)
AFTERNOON = Light(sun=0.7, azimuth_deg=125.0, elevation_deg=33.0, sun_colour=(0.8, 0.95, 1.06))
OVERCAST = Light(sun=0.0, sky=0.92, sky_colour=(1.02, 1.0, 0.99), haze=0.5)
RAIN = Light(sun=0.0, sky=0.66, sky_colour=(1.06, 1.0, 0.95), rain=0.8, haze=0.8, noise=3.4)
DUSK = Light(sun=0.0, sky=0.34, sky_colour=(1.2, 0.98, 0.86), lamps=0.22, haze=0.4, noise=4.5)
NIGHT = Light(
    sun=0.0, sky=0.05, sky_colour=(1.25, 1.0, 0.8), lamps=0.5, haze=0.2, gain=1.15, noise=7.5
)

LIGHTS = {
    "noon": NOON,
    "morning": MORNING,
    "afternoon": AFTERNOON,
    "overcast": OVERCAST,
    "rain": RAIN,
    "dusk": DUSK,
    "night": NIGHT,
}


def any_light(rng: np.random.Generator) -> Light:
    """A light out of a wide range, day more often than night."""
    kind = rng.choice(
        ["noon", "morning", "afternoon", "overcast", "rain", "dusk", "night"],
        p=[0.2, 0.14, 0.18, 0.22, 0.08, 0.08, 0.1],
    )
    base = LIGHTS[str(kind)]
    return replace(
        base,
        sun=base.sun * rng.uniform(0.6, 1.15),
        sky=base.sky * rng.uniform(0.85, 1.2),
        azimuth_deg=rng.uniform(-180, 180) if base.sun else base.azimuth_deg,
        elevation_deg=float(np.clip(base.elevation_deg + rng.uniform(-14, 16), 14, 75)),
        haze=base.haze * rng.uniform(0.4, 1.6),
        gain=base.gain * rng.uniform(0.8, 1.2),
        noise=base.noise * rng.uniform(0.4, 1.7),
    )
