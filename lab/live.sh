#!/bin/sh
# What `make lab` does: one pass with `gonedark watch` in the place of the recorders. Judged is what it wrote down while the
# outages happened and the attack, how long after its deciding message each incident was committed, and a replay of what two
# collectors recorded meanwhile. GONEDARK and LAB_OUT as in pass.sh.
set -eu
cd "$(dirname "$0")/.."
gonedark=$(realpath "${GONEDARK:-target/release/gonedark}")
out=${LAB_OUT:-target/lab-live}
rm -rf "$out"
mkdir -p "$out"
out=$(realpath "$out")

# Written once the address is known; no loss is too short in the lab.
cat >"$out/watch.sh" <<WATCH
#!/bin/sh
cat >"$out/gonedark.toml" <<CONFIG
[store]
path = "$out/live.db"
commit = "100ms"
snapshot = "10s"
[watch]
min_duration = "1ms"
[countries]
delegated = ["$(pwd)/lab/delegated.txt"]
[[source.bmp]]
name = "lab"
listen = "\$1"
[[source.flows]]
name = "edge"
listen = "\$2"
CONFIG
exec "$gonedark" watch --config "$out/gonedark.toml" --log json 2>"$out/watch.log"
WATCH
chmod +x "$out/watch.sh"
# A session without an End-of-RIB has sent its table when 30 s added hardly anything (METHOD.md, growth_percent).
python3 lab/run.py --out "$out/pass" --settle 65 --station-command "$out/watch.sh {listen} {flows}" "$@"
python3 lab/live.py "$out/live.db" >"$out/live.json"
late=0
python3 lab/latency.py "$out/watch.log" "$out/live.json" || late=1
wrong=0
echo "what gonedark watch heard over BMP:"
python3 lab/judge.py "$out/pass/truth.json" "$out/live.json" --collector gobgp || wrong=1
echo "what gonedark watch heard over NetFlow:"
python3 lab/attacks.py "$out/pass/truth.json" "$out/live.json" || wrong=1
echo "what gonedark replay read of the collectors' MRT:"
GONEDARK=$gonedark lab/replayed.sh "$out/pass" "$out/replayed.json" || wrong=1
exit $((late | wrong))
