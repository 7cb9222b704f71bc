"""Count requests and predictions for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKET_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics:
    """The Prometheus metrics of one server, including its memory, CPU time and open files."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "mnist_requests", "Requests answered", ["endpoint", "status"], registry=registry
        )
        self.seconds = Histogram(
            "mnist_request_seconds",
            "Time to handle a request, without queueing and transfer",
            ["endpoint"],
            buckets=_BUCKET_SECONDS,
            registry=registry,
        )
        self.digits = Counter(
            "mnist_digits",
            "Digits classified, and whether the model was sure",
            ["digit", "sure"],
            registry=registry,
        )
        self.not_sure = Counter(
            "mnist_not_sure", "Digits that the model was not sure of", registry=registry
        )
        self.no_digit = Counter(
            "mnist_no_digit", "Pictures that show no digit, it seems", registry=registry
        )
        self.corrections = Counter(
            "mnist_corrections",
            "Corrections that people sent: of a digit, or that there is none",
            ["kind"],
            registry=registry,
        )
        self.promotions = Counter(
            "mnist_promotions", "Times that another model came to be served", registry=registry
        )
        self.shed = Counter(
            "mnist_requests_shed", "Requests rejected because the queue was full", registry=registry
        )
        self.models_rejected = Gauge(
            "mnist_models_refused", "Model versions that failed their checks", registry=registry
        )
        self.model = Gauge(
            "mnist_model", "The model being served", ["model", "version"], registry=registry
        )

    def text(self) -> bytes:
        """Return the metrics in Prometheus's text format."""
        return generate_latest(self._registry)
