"""Golden training steps: what PyTorch computes in double precision, as JSON for the tests.

    python3 scripts/golden/pytorch.py        writes src/tensor/golden/*.json, src/train/golden/*.json

A case is a small net in our vocabulary (docs/tensor.md), its data and parameters, and the loss, scores,
gradients and running statistics of one step. Parameters are leaves in our layout, so gradients are too;
the operations are PyTorch's own. A net is a convolution, the operation in question, and a dense layer:
the gradient of the first shows the gradient that the operation passes on. Parameters are multiples of
1/64 and inputs whole numbers, which floats hold exactly. Seeds are tried until no value lies where
single precision could take the other side: a kink, a tie of maxima, a tie of rounding.
"""

import json
import os

import torch
import torch.nn.functional as F

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TOOL = f"PyTorch {torch.__version__.split('+')[0]}, float64"
BATCH, SCALE, CLASSES = 4, 1 / 32, 3
INPUT = [5, 4, 2]
LABELS = [0, 2, 1, 2]
MARGIN = 1e-3

torch.set_default_dtype(torch.float64)


class Close(Exception):
    """A value lies where rounding decides."""


def apart(distances):
    if distances.numel() and distances.abs().min() < MARGIN:
        raise Close


# operations on [N, C, H, W] or [N, K]


def same(extent, kernel, stride):
    outputs = -(-extent // stride)
    total = max(0, (outputs - 1) * stride + kernel - extent)
    return total // 2, total - total // 2


def padded(x, layer):
    if layer["padding"] == "valid":
        return x
    (kh, kw), (sh, sw) = layer["kernel"], layer["stride"]
    top, bottom = same(x.shape[2], kh, sh)
    left, right = same(x.shape[3], kw, sw)
    return F.pad(x, (left, right, top, bottom))


def conv2d(layer, x, of):
    weight = weight_of(layer, of).permute(3, 2, 0, 1)
    groups = layer.get("groups", 1)
    return F.conv2d(padded(x, layer), weight, of("bias"), layer["stride"], groups=groups)


def depthwise(layer, x, of):
    weight = weight_of(layer, of).permute(2, 0, 1).unsqueeze(1)
    return F.conv2d(padded(x, layer), weight, of("bias"), layer["stride"], groups=x.shape[1])


def dense(layer, x, of):
    return F.linear(x, weight_of(layer, of).T, of("bias"))


def batch_norm(layer, x, of):
    mean, variance = of("mean"), of("variance")
    return F.batch_norm(
        x, mean, variance, of("gamma"), of("beta"), True, layer["momentum"], layer["epsilon"]
    )


def kinked(function, *kinks):
    def apply(_layer, x, _of):
        for kink in kinks:
            apart(x - kink)
        return function(x)

    return apply


def max_pool(layer, x, _of):
    h, w = layer["size"]
    tiles = x.unfold(2, h, h).unfold(3, w, w).flatten(4)
    largest = tiles.topk(2, dim=4).values
    apart(largest[..., 0] - largest[..., 1])
    return F.max_pool2d(x, (h, w))


def flatten(_layer, x, _of):
    return x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x


# fake quantization: Esser et al. 2020 (arXiv:1902.08153), the pseudocode of its appendix


def rounded(v, low, high):
    apart((v - v.floor()) - 0.5)
    apart(v - low)
    apart(v - high)
    clamped = v.clamp(low, high)
    return clamped + (torch.floor(clamped + 0.5) - clamped).detach()


def learned(value, step, low, high, count):
    slowed = 1 / (count * high) ** 0.5
    step = (step - step * slowed).detach() + step * slowed
    return rounded(value / step, low, high) * step


def weight_of(layer, of):
    weight, quantize = of("weight"), layer.get("quantize")
    if quantize is None:
        return weight
    low, high = (-127, 127) if quantize["bits"] == 8 else (-8, 7)
    if quantize["step"] == "learned":
        return learned(weight, of("step"), low, high, weight.numel() / weight.shape[-1])
    step = weight.detach().abs().amax(tuple(range(weight.dim() - 1))) / high
    v = weight.detach() / step
    apart((v - v.floor()) - 0.5)
    return weight + (torch.floor(v + 0.5) * step - weight).detach()


def fake_quantize(layer, x, of):
    levels = 2 ** layer["bits"]
    low, high = (-levels // 2, levels // 2 - 1) if layer["signed"] else (0, levels - 1)
    step = of("step") if layer["learned"] else of("step").detach()
    return learned(x, step, low, high, x.numel() / BATCH)


OPS = {
    "conv2d": conv2d,
    "depthwiseConv2d": depthwise,
    "dense": dense,
    "batchNorm": batch_norm,
    "relu": kinked(F.relu, 0),
    "relu6": kinked(F.relu6, 0, 6),
    "hardSwish": kinked(F.hardswish, -3, 3),
    "maxPool": max_pool,
    "averagePool": lambda layer, x, _of: F.avg_pool2d(x, tuple(layer["size"])),
    "globalAveragePool": lambda _layer, x, _of: x.mean((2, 3)),
    "flatten": flatten,
    "fakeQuantize": fake_quantize,
}


def forward(layers, x, parameters):
    values = {"x": x}
    for layer in layers:
        read = [values[name] for name in layer["inputs"]]

        def of(role, name=layer["name"]):
            return parameters.get(f"{name}.{role}")

        if layer["op"] == "concat":
            value = torch.cat(read, 1)
        elif layer["op"] == "add":
            value = sum(read[1:], read[0])
        else:
            value = OPS[layer["op"]](layer, read[0], of)
        values[layer["name"]] = value
    return values[layers[-1]["name"]]


# parameters


def shapes_of(layer, shape, units):
    """Parameters of a layer by role; `shape` is [H, W, C] or [K], `units` its outputs."""
    op, found = layer["op"], {}
    if op == "conv2d":
        found["weight"] = [*layer["kernel"], shape[-1] // layer.get("groups", 1), units]
    elif op == "depthwiseConv2d":
        found["weight"] = [*layer["kernel"], units]
    elif op == "dense":
        found["weight"] = [shape[0], units]
    elif op == "batchNorm":
        found.update({role: [units] for role in ("gamma", "beta", "mean", "variance")})
    elif op == "fakeQuantize":
        found["step"] = [1]
    if layer.get("bias"):
        found["bias"] = [units]
    if layer.get("quantize", {}).get("step") == "learned":
        found["step"] = [units]
    return found


def initial(role, shape, layer, generator):
    if role == "variance":
        return torch.ones(shape)
    if role == "step":
        bits = layer.get("quantize", layer)["bits"]
        # no simple fraction of the values, so no ties; some weights are beyond 4 bits' range, and some
        # activations beyond both
        size = {8: 0.0167, 4: 0.0811} if "quantize" in layer else {8: 0.0127, 4: 0.251}
        return (size[bits] + torch.arange(shape[0]) / 256).float().double()
    wide = torch.randn(shape, generator=generator) * 0.4 + (1 if role == "gamma" else 0)
    return torch.round(wide * 64) / 64


def parameters_of(layers, x, generator):
    """Made layer by layer, since shapes follow from running what lies before."""
    made, values = {}, {"x": x}
    for i, layer in enumerate(layers):
        source = values[layer["inputs"][0]]
        shape = [*source.shape[2:], source.shape[1]] if source.dim() == 4 else [source.shape[1]]
        units = layer.get("filters", layer.get("units", shape[-1]))
        for role, extents in shapes_of(layer, shape, units).items():
            made[f"{layer['name']}.{role}"] = initial(role, extents, layer, generator)
        copies = {name: tensor.clone() for name, tensor in made.items()}
        values[layer["name"]] = forward(layers[: i + 1], x, copies)
    return made


# cases

WINDOW = {"kernel": [3, 3], "stride": [1, 1], "padding": "same"}
HEAD = [
    {"op": "flatten", "name": "flat", "inputs": ["last"]},
    {"op": "dense", "name": "out", "inputs": ["flat"], "units": CLASSES, "bias": True},
]


def conv(name, source, filters=4, **rest):
    base = {"op": "conv2d", "name": name, "inputs": [source], "filters": filters, "bias": True}
    return {**base, **WINDOW, **rest}


def after_conv(*layers):
    return [conv("first", "x"), *layers, *HEAD]


def last(op, source="first", **rest):
    return {"op": op, "name": "last", "inputs": [source], **rest}


def weighted(layers, quantize):
    """A net whose convolution, depthwise convolution and dense layer have fake-quantized weights."""
    kinds = ("conv2d", "depthwiseConv2d", "dense")
    return [{**layer, "quantize": quantize} if layer["op"] in kinds else layer for layer in layers]


DEPTHWISE = {"bias": True, **WINDOW}
NORM = {"momentum": 0.1, "epsilon": 1e-3}
DENSE = [
    {"op": "flatten", "name": "seen", "inputs": ["x"]},
    {"op": "dense", "name": "hidden", "inputs": ["seen"], "units": 5, "bias": True},
    {"op": "relu", "name": "last", "inputs": ["hidden"]},
    *HEAD,
]
POOLED = {"op": "globalAveragePool", "name": "last", "inputs": ["first"]}
SEPARABLE = after_conv(
    {"op": "depthwiseConv2d", "name": "middle", "inputs": ["first"], **DEPTHWISE},
    {"op": "relu", "name": "last", "inputs": ["middle"]},
)

OPERATIONS = {
    "a convolution": (after_conv(conv("last", "first", 5)), {}),
    "a strided convolution, same": (after_conv(conv("last", "first", 5, stride=[2, 2])), {}),
    "a convolution with an even window, same": (
        after_conv(conv("last", "first", 5, kernel=[2, 4], stride=[2, 1])),
        {},
    ),
    "a strided convolution, valid": (
        after_conv(conv("last", "first", 5, kernel=[2, 3], stride=[2, 1], padding="valid")),
        {},
    ),
    "a pointwise convolution": (after_conv(conv("last", "first", 5, kernel=[1, 1])), {}),
    "a depthwise convolution": (after_conv(last("depthwiseConv2d", **DEPTHWISE)), {}),
    "a strided depthwise convolution": (
        after_conv(last("depthwiseConv2d", **{**DEPTHWISE, "stride": [2, 2]})),
        {},
    ),
    "batch normalisation": (after_conv(last("batchNorm", **NORM)), {}),
    "batch normalisation and ReLU": (
        after_conv(
            {"op": "batchNorm", "name": "norm", "inputs": ["first"], **NORM},
            last("relu", "norm"),
        ),
        {},
    ),
    "ReLU": (after_conv(last("relu")), {}),
    "maximum pooling": (after_conv(last("maxPool", size=[2, 2])), {}),
    "global average pooling": ([conv("first", "x"), POOLED, {**HEAD[1], "inputs": ["last"]}], {}),
    "concatenation": (
        [
            conv("first", "x"),
            {"op": "globalAveragePool", "name": "mean", "inputs": ["first"]},
            {"op": "flatten", "name": "all", "inputs": ["first"]},
            {"op": "concat", "name": "both", "inputs": ["mean", "all"]},
            {**HEAD[1], "inputs": ["both"]},
        ],
        {},
    ),
    "dense layers": (DENSE, {}),
    "label smoothing": (DENSE, {"smoothing": 0.1}),
    "class weights": (DENSE, {"classWeights": [0.5, 2, 1.25]}),
}

LATER = {
    "a convolution in groups": (after_conv(conv("last", "first", 6, groups=2)), {}),
    "average pooling": (after_conv(last("averagePool", size=[2, 2])), {}),
    "ReLU6": (after_conv(last("relu6")), {}),
    "hard-swish": (after_conv(last("hardSwish")), {}),
    "a residual sum": (
        after_conv(
            conv("second", "first"),
            {"op": "add", "name": "last", "inputs": ["first", "second"]},
        ),
        {},
    ),
}

QUANTIZATION = {
    **{
        f"{bits}-bit weights, {step}": (weighted(SEPARABLE, {"bits": bits, "step": step}), {})
        for bits in (8, 4)
        for step in ("maxAbs", "learned")
    },
    **{
        f"{bits}-bit {'signed' if signed else 'unsigned'} activations": (
            after_conv(last("fakeQuantize", bits=bits, signed=signed, learned=True)),
            {},
        )
        for bits in (8, 4)
        for signed in (True, False)
    },
}


def case(name, layers, options):
    for seed in range(10000):
        try:
            return {"name": name, **step(layers, options, seed)}
        except Close:
            continue
    raise SystemExit(f"{name}: every seed is close to a kink")


def step(layers, options, seed):
    generator = torch.Generator().manual_seed(seed)
    whole = torch.randint(-100, 100, (BATCH, *INPUT), generator=generator)
    x = (whole * SCALE).permute(0, 3, 1, 2)
    start = parameters_of(layers, x, generator)
    now = {name: tensor.clone() for name, tensor in start.items()}
    trained = [name for name in now if not name.endswith((".mean", ".variance"))]
    for name in trained:
        now[name].requires_grad_(True)
    logits = forward(layers, x, now)
    weights = options.get("classWeights")
    loss = F.cross_entropy(
        logits,
        torch.tensor(LABELS),
        weight=None if weights is None else torch.tensor(weights),
        label_smoothing=options.get("smoothing", 0),
    )
    loss.backward()
    return {
        "options": options,
        "layers": layers,
        "x": whole.flatten().tolist(),
        "parameters": {name: plain(tensor) for name, tensor in start.items()},
        "loss": plain(loss)[0],
        "logits": plain(logits),
        "gradients": {name: plain(now[name].grad) for name in trained if now[name].grad is not None},
        "running": {name: plain(now[name]) for name in now if name not in trained},
    }


def plain(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


# optimizers and schedules

OPTIMIZERS = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.05),
    "adam with L2": lambda p: torch.optim.Adam(p, lr=0.05, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.1),
    "sgd with Nesterov momentum": lambda p: torch.optim.SGD(
        p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1
    ),
}


def optimized(name):
    generator = torch.Generator().manual_seed(1)
    p = (torch.round(torch.randn(7, generator=generator) * 64) / 64).requires_grad_(True)
    optimizer = OPTIMIZERS[name]([p])
    start, gradients, after = plain(p), [], []
    for _ in range(6):
        p.grad = torch.round(torch.randn(7, generator=generator) * 64) / 64
        gradients.append(plain(p.grad))
        optimizer.step()
        after.append(plain(p))
    group = optimizer.param_groups[0]
    settings = {"rate": group["lr"], "decay": group["weight_decay"]}
    return {"name": name, **settings, "start": start, "gradients": gradients, "after": after}


def schedules():
    from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR, StepLR

    def rates(make, count=20):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        schedule, found = make(optimizer), []
        for _ in range(count):
            found.append(float(f"{schedule.get_last_lr()[0]:.9g}"))
            optimizer.step()
            schedule.step()
        return found

    def warm(optimizer):
        rising = LinearLR(optimizer, 0.25, 1, 3)
        return SequentialLR(optimizer, [rising, CosineAnnealingLR(optimizer, 16)], [4])

    return {
        "rate": 0.1,
        "cosine": rates(lambda optimizer: CosineAnnealingLR(optimizer, 20)),
        "cosineAfterFourStepsOfWarmUp": rates(warm),
        "timesAThirdEverySixSteps": rates(lambda optimizer: StepLR(optimizer, 6, 1 / 3)),
    }


def write(path, content):
    text = json.dumps({"tool": TOOL, "writtenBy": "scripts/golden/pytorch.py", **content})
    with open(os.path.join(ROOT, path), "w") as file:
        file.write(text.replace('}, {"name"', '},\n{"name"') + "\n")


def write_steps(path, cases):
    shared = {"batch": BATCH, "inputScale": SCALE, "input": INPUT, "labels": LABELS}
    write(path, {**shared, "cases": [case(name, *given) for name, given in cases.items()]})


if __name__ == "__main__":
    write_steps("src/tensor/golden/operations.json", OPERATIONS)
    write_steps("src/tensor/golden/operations-later.json", LATER)
    write_steps("src/tensor/golden/quantization.json", QUANTIZATION)
    write("src/tensor/golden/optimizers.json", {"cases": [optimized(name) for name in OPTIMIZERS]})
    write("src/train/golden/schedules.json", schedules())
