"""Writes src/features/golden/librosa.json: log-mel and MFCC of one signal under every option.

    python3 scripts/golden/features.py > src/features/golden/librosa.json
"""

import json

import librosa
import numpy as np

RATE = 16000
LENGTH = 3000

CASES = {
    "defaults": {},
    "HTK": {"melScale": "htk"},
    "not centred": {"center": False},
    "a range of frequencies": {"lowHz": 300, "highHz": 5000},
    "a range of frequencies, HTK": {"lowHz": 120.5, "highHz": 7600, "melScale": "htk"},
    "an odd hop": {"hopSamples": 321},
    "a short window, few bands": {"windowSamples": 256, "mels": 8, "coefficients": 8},
    "a long window": {"windowSamples": 2048, "mels": 32},
    "a hop longer than the window": {"windowSamples": 128, "hopSamples": 500, "mels": 6, "coefficients": 3},
    "top_db": {"topDb": 30},
}


def signal():
    state, noise = 1, []
    for _ in range(LENGTH):
        state = (1664525 * state + 1013904223) % 2**32
        noise.append((state >> 16) / 65536 - 0.5)
    n = np.arange(LENGTH)
    return 0.01 * np.array(noise) + 0.4 * np.exp(-n / 900) * np.sin(n / 7)


def features(y, options):
    spec = {
        "windowSamples": 512, "hopSamples": 320, "center": True, "mels": 16, "coefficients": 6,
        "lowHz": 0, "highHz": RATE / 2, "melScale": "slaney", "topDb": None, **options,
    }
    htk = spec["melScale"] == "htk"
    power = np.abs(librosa.stft(
        y, n_fft=spec["windowSamples"], hop_length=spec["hopSamples"], window="hann",
        center=spec["center"], pad_mode="constant", dtype=np.complex128)) ** 2
    basis = librosa.filters.mel(
        sr=RATE, n_fft=spec["windowSamples"], n_mels=spec["mels"], fmin=spec["lowHz"],
        fmax=spec["highHz"], htk=htk, norm=None if htk else "slaney", dtype=np.float64)
    decibels = librosa.power_to_db(basis @ power, ref=1.0, amin=1e-10, top_db=spec["topDb"])
    cepstra = librosa.feature.mfcc(S=decibels, n_mfcc=spec["coefficients"], dct_type=2, norm="ortho")
    return {"spec": spec, "logMel": decibels.T.tolist(), "mfcc": cepstra.T.tolist()}


y = signal()
written = {
    "tool": f"librosa {librosa.__version__}, numpy {np.__version__}",
    "command": "python3 scripts/golden/features.py",
    "sampleRateHz": RATE,
    "samples": LENGTH,
    "cases": {name: features(y, options) for name, options in CASES.items()},
}
print(json.dumps(written, indent=None, separators=(",", ":")).replace('"cases":', '\n"cases":').replace('},"', '},\n"'))
