#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Headless Chromium loads a page with 50 objects from the real program; the page itself reports by which protocol each came.
# Another page asks for what images never do: HEAD, ranges, what has not changed, what is not there, what is not allowed.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
binary=${1:?usage: chromium.sh BUILD}/app/millrace
objects=50

write_page()
{
    local i
    for i in $(seq $objects); do
        printf '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="9"><desc>%s</desc></svg>' "$i" \
            "$(head -c 3000 /dev/urandom | base64 -w 0)" >"$sandbox/www/$i.svg"
    done
    {
        echo '<!doctype html><title>millrace</title><body>'
        for i in $(seq $objects); do
            echo "<img src=\"$i.svg\">"
        done
        # The dump is taken after the load event.
        cat <<'PAGE'
<pre id="report"></pre>
<script>
addEventListener("load", () => {
  const page = performance.getEntriesByType("navigation")[0];
  const lines = [`page ${page.nextHopProtocol}`];
  for (const entry of performance.getEntriesByType("resource"))
    lines.push(`${entry.name.split("/").pop()} ${entry.nextHopProtocol}`);
  for (const image of document.images)
    lines.push(`width ${image.naturalWidth}`);
  document.getElementById("report").textContent = lines.join("\n");
});
</script>
PAGE
    } >"$sandbox/www/index.html"
}

# One request after the other, before the load event; each has a name of its own, so that no cache answers.
write_questions()
{
    seq 1000 >"$sandbox/www/numbers.txt"
    cat >"$sandbox/www/questions.html" <<'PAGE'
<!doctype html><title>questions</title><body>
<pre id="report"></pre>
<script>
let number = 0;
function ask(method, path, name, value) {
  const request = new XMLHttpRequest();
  request.open(method, `${path}?${++number}`, false);
  if (name)
    request.setRequestHeader(name, value);
  request.send(method === "POST" ? "something" : null);
  return request;
}
const whole = ask("GET", "/numbers.txt");
const etag = whole.getResponseHeader("etag");
const head = ask("HEAD", "/numbers.txt");
const part = ask("GET", "/numbers.txt", "Range", "bytes=100-149");
const tail = ask("GET", "/numbers.txt", "Range", "bytes=-7");
const post = ask("POST", "/numbers.txt");
document.getElementById("report").textContent = [
  `GET ${whole.status} ${whole.responseText.length} ${whole.getResponseHeader("content-type")}`,
  `HEAD ${head.status} ${head.responseText.length} ${head.getResponseHeader("content-length")} ${head.getResponseHeader("etag") === etag}`,
  `not changed ${ask("GET", "/numbers.txt", "If-None-Match", etag).status}`,
  `changed ${ask("GET", "/numbers.txt", "If-None-Match", '"another"').status}`,
  `part ${part.status} ${part.getResponseHeader("content-range")} ${part.responseText === whole.responseText.slice(100, 150)}`,
  `tail ${tail.status} ${tail.getResponseHeader("content-range")} ${tail.responseText === whole.responseText.slice(-7)}`,
  `beyond ${ask("GET", "/numbers.txt", "Range", "bytes=9999-").status}`,
  `missing ${ask("GET", "/nothing.txt").status}`,
  `missing, HEAD ${ask("HEAD", "/nothing.txt").status}`,
  `POST ${post.status} ${post.getResponseHeader("allow")}`,
  `protocols ${[...new Set(performance.getEntriesByType("resource").map((entry) => entry.nextHopProtocol))]}`,
].join("\n");
</script>
PAGE
}

# load HOST PATH: prints what the page reported. By name, as Chromium forces QUIC on no IPv6 address.
load()
{
    on_client timeout 60 chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --disable-dev-shm-usage --user-data-dir="$sandbox/profile-$RANDOM" \
        --enable-quic --origin-to-force-quic-on=millrace.test:443 --host-resolver-rules="MAP millrace.test $1" --ignore-certificate-errors-spki-list="$(sandbox_spki)" \
        --dump-dom "https://millrace.test$2" 2>"$sandbox/chromium.log" |
        sed -n '/<pre id="report">/,/<\/pre>/p' | sed 's/<[^>]*>//g'
}

# verify ADDRESS: the page and every object came by h3, and every image is whole.
verify()
{
    local report h3 i
    report=$(load "$1" /) || true
    h3=$(grep -cE '^[0-9]+\.svg h3$' <<<"$report" || true)
    for i in $(seq $objects); do
        grep -qx "width $i" <<<"$report" || { echo "image $i of $objects did not arrive whole"; break; }
    done
    if [ "$h3" = $objects ] && grep -qx 'page h3' <<<"$report" && [ "$(grep -c '^width ' <<<"$report")" = $objects ] &&
        ! grep -qx 'width 0' <<<"$report"; then
        return 0
    fi
    echo "$h3 of $objects objects by h3"
    head -n 5 <<<"$report"
    tail -n 10 "$sandbox/chromium.log"
    return 1
}

# answers ADDRESS: what RFC 9110 wants of each question; numbers.txt has 3893 octets.
answers()
{
    diff <(load "$1" /questions.html) - <<'ANSWERS' || { tail -n 10 "$sandbox/chromium.log"; return 1; }
GET 200 3893 text/plain; charset=utf-8
HEAD 200 0 3893 true
not changed 304
changed 200
part 206 bytes 100-149/3893 true
tail 206 bytes 3886-3892/3893 true
beyond 416
missing 404
missing, HEAD 404
POST 405 GET, HEAD
protocols h3
ANSWERS
}

sandbox_open
sandbox_hugepages 256
write_page
write_questions
gateway_start config/demo.toml "$binary" || sandbox_fail "the gateway did not start"
for address in $gateway4 "[$gateway6]"; do
    check "a page of $objects objects from $address" verify "$address"
    check "methods, ranges and conditions at $address" answers "$address"
done
check "graceful stop" gateway_stop
check_end
