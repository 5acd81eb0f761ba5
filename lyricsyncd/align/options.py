"""The settings of the search: what songs are like, and how posteriors are computed.

An acoustic model carries its own (`lyricsyncd.align.emissions.AcousticModel`), because its frames
and the scale of its scores decide what fits. The defaults are those of the phone states;
``docs/alignment.md`` lists where each number comes from.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Penalties:
    """Penalties of the states, in nats: per frame, or once where a state is entered."""

    word_in_silence: float = 3.0
    """A word in a frame without vocal activity."""
    stretched_consonant: float = 2.0
    silence_inside: float = 1.0
    """A silence inside a line."""
    enter_silence_inside: float = 8.0
    """Once, for every silence inside a line."""
    silence_between: float = 0.0
    """A silence between lines."""
    floor_inside: float = -25.0
    """The least that a silence inside a line can score, however loud the frame."""
    skipped_word: float = 60.0
    """Once for each word that is left out as not sung."""
    floor_between: float = -6.0
    """The same between lines: the filler (garbage) state that absorbs instrumentals and ad-libs."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Options of the search; the defaults are those that measured best with the phone states."""

    first_penalties: Penalties = field(
        default_factory=lambda: Penalties(stretched_consonant=0.0, silence_inside=0.0)
    )
    """Those of the first pass, whose model is not adapted to the singer yet."""
    penalties: Penalties = field(default_factory=Penalties)
    """Those of the second pass."""
    activity: bool = True
    """Use the energy of the vocals as a prior of where words are."""
    first_step: int = 2
    """The first pass of a model that is adapted takes one frame of these many."""
    adapt: bool = True
    """Adapt the model to the singer after the first pass, where it can be adapted."""
    adaptation_floor: float = -12.0
    """Nats below the frame's best unit under which a frame is left out of the adaptation."""
    band: float = 8.0
    """Seconds around the best path within which posteriors are computed."""
    background: bool = True
    """Score other orders of the words, too, so that the placement can be judged."""
    scale: float = 0.1
    """Acoustic scale: what scores are multiplied by before they become posteriors."""
    doubtful_line: float = 110.0
    """Nats that line times may cost per line where the first pass lost too many lines to compare
    them; above, they are taken for those of another recording."""
    anchor_spread: float = 0.3
    """Seconds off a recognised word's start that cost `anchor_step` nats, up to `anchor_cap`."""
    anchor_step: float = 20.0
    anchor_cap: float = 60.0
    prior_weight: float = 1.0
    """What the log-posteriors of a second aligner are multiplied by."""
    prior_cap: float = 60.0
    """Nats that they may cost a word at most, at the scale of the scores."""
    sure_prior: float = 0.95
    """Share from which on no other floors are tried."""
    trusted_unsung: float = 0.7
    """The same for words to be left out: on weak vocals both miss words that are there."""
    other_floors: tuple[float, ...] = (-4.0, -3.0)
    """Further values of `Penalties.floor_between`, tried where there is a second aligner."""
    trusted_prior: float = 0.4
    """Share of the words that a second aligner must place as the first pass does for its onsets to
    guide the adaptation: where it is lost, they would be learnt."""
    confirmed: float = 0.85
    """The same from which one front end is enough."""
    expected: bool = True
    """Report the median onset under the posteriors instead of the best path's."""
