# One image for every command of overheard. Nothing runs as root.
FROM python:3.11.13-slim-bookworm AS built
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/overheard \
 && /opt/overheard/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE overheard.py ./
COPY detectors detectors
COPY alerting alerting
COPY streams streams
COPY dashboards dashboards
RUN /opt/overheard/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps .

FROM python:3.11.13-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/overheard overheard
COPY --from=built /opt/overheard /opt/overheard
COPY dashboards/stack/entrypoint.sh /usr/local/bin/entrypoint.sh
ENV PATH=/opt/overheard/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/overheard
VOLUME /var/lib/overheard
ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]
CMD ["overheard", "--help"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8080), 3).close()"]
