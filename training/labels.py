"""What the street model knows: three matters of its own, and the COCO things it keeps."""

STREET = ("street_vending", "garbage", "illegal_structure")
"""What the fine-tuning teaches; the names of the shared data set."""

TRAFFIC = ("person", "bicycle", "car", "motorcycle", "bus", "truck", "dog")

GOODS = (
    "umbrella", "chair", "bench", "dining table", "potted plant", "couch", "bed",
    "backpack", "handbag", "suitcase",
    "bottle", "wine glass", "cup", "bowl", "vase",
    "banana", "apple", "orange", "broccoli", "carrot",
    "sandwich", "hot dog", "pizza", "donut", "cake",
    "teddy bear", "book", "tv", "refrigerator",
)  # fmt: skip
"""What is laid out or sat on at a stall, or dumped: the other half of the vending relation."""

KEPT = TRAFFIC + GOODS
"""COCO labels that the exported model still answers."""

LABELS = STREET + KEPT
"""The street model's labels in the order of its output rows."""
