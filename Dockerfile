# The web app alone: no TensorFlow, no Kedro, no data. docs/deployment.md tells how to use it.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /app
COPY requirements-serving.txt .
RUN /app/bin/pip install --no-cache-dir --compile -r requirements-serving.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /app/bin/pip install --no-cache-dir --compile --no-deps .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home app
COPY --from=build /app /app
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s CMD ["/app/bin/python", "-c", \
  "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# Arguments of `docker run` are appended: `--allowed-hosts NAME` for URLs other than http://localhost.
ENTRYPOINT ["/app/bin/python", "-m", "mnist_kedro.serving", "--host", "0.0.0.0", "--models", "/models"]
