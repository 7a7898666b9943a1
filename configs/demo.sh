#!/usr/bin/env bash
# make demo: train two studies of real purchases, serve the models, send a request to each, stop the service.
# The models stay in demo/registry, and a second run serves those of the first; remove demo/ to train again.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH" PROPENSE_REGISTRY=demo/registry PROPENSE_LOG_LEVEL=error PROPENSE_LOG_FORMAT=text

for name in purchase churn; do
    if [ -e "$PROPENSE_REGISTRY/$name/champion" ]; then
        echo "$name is in $PROPENSE_REGISTRY already"
        continue
    fi
    printf '\n$ propense train configs/%s.yaml\n' "$name"
    propense train "configs/$name.yaml"
done

port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf '\n$ propense serve --port %s\n' "$port"
propense serve --port "$port" &
trap 'kill $! 2> /dev/null && wait $!' EXIT

python - "http://127.0.0.1:$port" <<'END'
import json, sys, time
from urllib.error import URLError
from urllib.request import Request, urlopen

url = sys.argv[1]
body = """{"as_of": "1997-12-31",
 "customers": [
   {"customer_id": "00021", "events": [{"date": "1997-01-01", "number_of_cds": 3, "dollar_value": 63.34},
                                       {"date": "1997-01-13", "number_of_cds": 1, "dollar_value": 11.77}]},
   {"customer_id": "00101", "events": [{"date": "1997-01-18", "number_of_cds": 2, "dollar_value": 23.54}]}
 ]}"""
deadline = time.monotonic() + 60
while True:
    try:
        urlopen(f"{url}/health/ready", timeout=5).close()
        break
    except (URLError, TimeoutError):
        if time.monotonic() > deadline:
            sys.exit("demo: the service is not ready after 60 s")
        time.sleep(0.1)
for name in ("purchase", "churn"):
    request = Request(f"{url}/v1/models/{name}/predict", body.encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=10) as response:
        answer = json.load(response)
        print(f"\nPOST /v1/models/{name}/predict\n{body}\n{response.status}")
    predictions = [f"   {json.dumps(one)}" for one in answer.pop("predictions")]
    print(json.dumps(answer)[:-1] + ',\n "predictions": [\n' + ",\n".join(predictions) + "\n ]}")
END
printf '\nTo serve the models again: propense serve --registry %s\n' "$PROPENSE_REGISTRY"
