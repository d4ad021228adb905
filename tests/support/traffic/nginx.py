"""nginx of the community with stub_status: it counts requests, of all versions together."""

from __future__ import annotations

from tests.support.traffic.layer import COMMON, SHARES, Addresses, Layer, scrape
from tests.support.traffic.running import Ground, free_address, pod_scrapes, program

EXPORTER = "prometheus-nginx-exporter"
# What tells the versions apart is what they count themselves.
CONFIG = """\
variables:
  namespace: shop
  workload: checkout
  baseline: {hash: stable}
  canary: {hash: null}
presets: {layer: app-http, separation: pod-name, only: [client_error_ratio]}
metrics:
  - {preset: app-http/error_ratio, judge: {margin: {ratio: 2, absolute: 0.05}}}
  - {preset: app-http/latency_buckets, judge: {edge: 0.5}}
"""
# All that nginx itself has to offer; the second wording only looks as if it told versions apart.
BLIND = "sum(rate(nginx_http_requests_total[4s]))"
DISGUISED = 'nginx_http_requests_total{instance!="${hash}"}'
REQUESTS = """\
variables:
  baseline: {hash: stable}
  canary: {hash: null}
metrics:
  - name: requests
    critical: true
    query: QUERY
    judge: {kind: mann_whitney, tolerance: 10%, margin: 20%}
"""
WRITTEN = """\
daemon off;
master_process off;
error_log stderr;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream checkout {{
{servers}
    keepalive 16;
  }}
  server {{
    listen {front};
    keepalive_requests 100000;
    location / {{
      proxy_pass http://checkout;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
  server {{
    listen {status};
    location = /stub_status {{ stub_status; }}
  }}
}}
"""


def missing() -> str:
    """Say what keeps the layer from running, if anything does."""
    absent = [name for name in ("nginx", EXPORTER) if not program(name)]
    return f"there is no {' and no '.join(absent)}; tools/servers installs it" if absent else ""


def by_itself(query: str) -> str:
    """Write a configuration that judges what nginx alone counts."""
    return COMMON + REQUESTS.replace("QUERY", query)


def start(ground: Ground, versions: Addresses) -> Layer:
    """Start it and its exporter before the versions; it deals requests out by weight."""
    front, status, metrics = free_address(), free_address(), free_address()
    servers = "\n".join(
        f"    server {versions[version]} weight={share};" for version, share in SHARES.items()
    )
    text = WRITTEN.format(folder=ground.folder, servers=servers, front=front, status=status)
    file = ground.write("nginx.conf", text)
    command = [str(program("nginx")), "-p", str(ground.folder), "-c", str(file)]
    ground.run("nginx", command, status, "/stub_status")
    exporter = [
        str(program(EXPORTER)),
        f"-nginx.scrape-uri=http://{status}/stub_status",
        f"-web.listen-address={metrics}",
    ]
    ground.run("nginx-exporter", exporter, metrics, "/metrics")
    return Layer(
        address=front,
        scrapes=(scrape("nginx", metrics), *pod_scrapes("checkout", versions)),
        config=COMMON + CONFIG,
        variable="hash",
        values={version: version for version in versions},
    )
