"""Whether a model can say what zones ask for: one that cannot would look in vain for ever."""

from collections.abc import Collection, Iterator, Sequence

from edge.config import CameraConfig
from edge.detect.relations import GOODS, PERSON, STALL
from wire.zone import LABELS, STRUCTURE, UNNAMED, ZoneConfig


def unseen(zone: ZoneConfig, says: Collection[str]) -> Sequence[str]:
    """The labels of a zone that nothing can find with a model that says `says`.

    A zone that lists no labels takes what there is: it lacks something only when no class is left.
    """
    lacking = [label for label in zone.labels if not _is_seen(label, zone, says)]
    if "labels" in zone.model_fields_set or len(lacking) == len({*zone.labels} - {UNNAMED}):
        return lacking
    return []


def vocabulary_faults(camera: CameraConfig, says: Collection[str]) -> Iterator[str]:
    """A sentence for each zone that asks for more than the model says."""
    for i, zone in enumerate(camera.zones):
        if lacking := unseen(zone, says):
            found = [label for label in LABELS if _is_seen(label, zone, says)]
            yield (
                f"zones.{i}.labels: the model says nothing of {', '.join(lacking)};"
                f" allowed with it here: {', '.join(found)}"
            )


def _is_seen(label: str, zone: ZoneConfig, says: Collection[str]) -> bool:
    if label == STALL and PERSON in says and not GOODS.keys().isdisjoint(says):
        return True  # by what stands together
    if label == STRUCTURE and zone.no_build:
        return True  # by what changes over days
    return label == UNNAMED or label in says
