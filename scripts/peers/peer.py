"""The line protocol of a peer (src/bench/peer.ts), for engines in Python.

serve(build) reads the set-up, times build and the first step, and answers runs until its input ends.
"""

import base64
import json
import os
import sys
import time
from array import array


def serve(library, build):
    """library(setup) imports the engine and gives its version, build(setup) gives (step, logits)."""
    # libraries print as they like: the protocol has the real standard output to itself
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(answer):
        answers.write(json.dumps(answer) + "\n")

    setup = read()
    try:
        version = library(setup)
    except ImportError as error:
        say({"missing": str(error)})
        return
    setup = {**setup, "weights": weights(setup), "inputs": batch(setup)}
    started = time.perf_counter()
    step, logits = build(setup)
    step()
    ready = {"version": version, "firstStepMs": 1000 * (time.perf_counter() - started)}
    if logits is not None:
        ready["logits"] = logits()
    say({"ready": ready})
    while (message := read()) is not None:
        say(run(step, message["run"]["seconds"]))


def read():
    line = sys.stdin.readline()
    return json.loads(line) if line else None


def run(step, seconds):
    steps, passed = 0, 0.0
    started = time.perf_counter()
    while steps == 0 or passed < seconds:
        value = step()
        steps += 1
        passed = time.perf_counter() - started
    answer = {"steps": steps, "seconds": passed}
    return answer if value is None else {**answer, "loss": value}


def floats(text):
    return array("f", base64.b64decode(text))


def weights(setup):
    """Every parameter by name: (values as a flat array, shape)."""
    values, at, found = floats(setup["weights"]), 0, {}
    for parameter in setup["parameters"]:
        size = 1
        for extent in parameter["shape"]:
            size *= extent
        found[parameter["name"]] = (values[at : at + size], parameter["shape"])
        at += size
    return found


def batch(setup):
    """Every input by name as a flat list of floats, [batch, H, W, C]."""
    scale = setup["inputScale"]
    return {
        name: array("f", [v * scale for v in array("b", base64.b64decode(text))])
        for name, text in setup["inputs"].items()
    }


def same(extent, kernel, stride):
    """Padding before and after one axis, as TensorFlow's "same"."""
    outputs = -(-extent // stride)
    total = max(0, (outputs - 1) * stride + kernel - extent)
    return total // 2, total - total // 2
