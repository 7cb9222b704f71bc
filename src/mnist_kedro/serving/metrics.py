"""What Prometheus asks for."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """Counts of one server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # memory, processor time, open files
        self.requests = Counter(
            "mnist_requests", "Requests answered", ["endpoint", "status"], registry=registry
        )
        self.seconds = Histogram(
            "mnist_request_seconds",
            "Time to an answer, without waiting and transfer",
            ["endpoint"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.digits = Counter(
            "mnist_digits",
            "Digits read, and whether the model was sure",
            ["digit", "sure"],
            registry=registry,
        )
        self.shed = Counter(
            "mnist_requests_shed", "Requests refused because too many waited", registry=registry
        )
        self.models_refused = Gauge(
            "mnist_models_refused", "Versions that failed their checks", registry=registry
        )
        self.model = Gauge(
            "mnist_model", "The model that is served", ["model", "version"], registry=registry
        )

    def text(self) -> bytes:
        """In Prometheus's text format."""
        return generate_latest(self._registry)
