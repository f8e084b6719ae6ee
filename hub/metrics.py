"""What the hub counts about itself, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("tianyan_messages_total", "Messages taken from the broker", ["message"])
REFUSED = Counter("tianyan_refused_total", "Messages or numbers refused for good", ["code"])
RETRIES = Counter("tianyan_store_retries_total", "Transactions repeated: database away", ["lane"])
BACKLOG = Gauge("tianyan_lane_backlog", "Messages received and not yet committed", ["lane"])
CONNECTED = Gauge("tianyan_broker_connected", "1 while the lane is connected", ["lane"])
COMMIT = Histogram(
    "tianyan_receive_to_commit_seconds",
    "From the arrival of a message to its commit",
    ["lane"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30),
)
LAG = Histogram(
    "tianyan_publish_to_commit_seconds",
    "From the device's time stamp of a live message to its commit",
    ["lane"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30, 120),
)
FIXES = Counter("tianyan_fixes_total", "Fixes stored")
JUDGED = Counter("tianyan_fixes_judged_total", "Fixes taken by the vehicles' rules")
UPLOADS = Counter("tianyan_uploads_total", "Evidence uploads by HTTP status", ["status"])
