# The service: app/ and model/ with what they import. No training code, no root, no writes but to /tmp.
#
#   docker build --build-arg TORCH_INDEX_URL=URL -t propense .
#   docker run --read-only -v /tmp -p 8000:8000 -v "$PWD/registry:/models:ro" \
#       -v propense-keys:/keys:ro -e PROPENSE_KEYS=/keys/keys.json propense
#
# It accepts requests from other machines, so it needs a file of keys: see README.md, Deploy.
# TORCH_INDEX_URL is one of PyTorch's own wheel indexes: the CPU one makes a small image, a CUDA one fits
# a driver. Without it torch comes from pip's usual index, whose x86 wheel brings CUDA and some gigabytes.
# On a GPU machine: docker run --gpus all -e PROPENSE_DEVICE=cuda ...
# EXTRAS are extras of pyproject.toml, separated by blanks: otel sends spans.

FROM python:3.11-slim AS build
ARG TORCH_INDEX_URL=""
ARG EXTRAS=""
WORKDIR /build
COPY pyproject.toml .
RUN python -c "import sys, tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*p['dependencies'], *(d for e in sys.argv[1:] for d in p['optional-dependencies'][e]), sep='\n')" ${EXTRAS} > requirements.txt \
    && python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
        ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} --requirement requirements.txt \
    # Files of torch and Arrow that only compilers and their own tests need.
    && cd /venv/lib/python3.11/site-packages \
    && (cd torch && rm -rf include share test bin/test_* bin/protoc*) \
    && (cd pyarrow && rm -rf include src tests)

FROM python:3.11-slim
COPY --from=build /venv /venv
# A new volume mounted here belongs to the user below, as this folder does.
RUN install --directory --owner=10001 --group=10001 --mode=0700 /keys
WORKDIR /service
COPY model model
COPY app app
ENV PATH="/venv/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PROPENSE_HOST=0.0.0.0 \
    PROPENSE_PORT=8000 \
    PROPENSE_REGISTRY=/models
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(f'http://127.0.0.1:{os.environ[\"PROPENSE_PORT\"]}/health/ready', timeout=2)"]
CMD ["python", "-m", "app"]
