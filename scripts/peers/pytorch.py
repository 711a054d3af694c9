"""PyTorch, eager: the peer of `bench training` (docs/bench.md has the rules).

The net is built from the same graph; setting "channels last" lays maps out as [N, H, W, C].
"""

import peer


def library(setup):
    global torch, nn, F
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.set_num_threads(setup["threads"])
    torch.manual_seed(1)
    return f"PyTorch {torch.__version__}"


def build(setup):
    is_training = setup["task"] == "train"
    layout = torch.channels_last if setup["setting"] == "channels last" else torch.contiguous_format
    net = net_class()(setup["graph"], setup["weights"]).to(memory_format=layout)
    inputs = []
    for item in setup["graph"]["inputs"]:
        flat = torch.tensor(setup["inputs"][item["name"]])
        maps = flat.reshape(setup["batch"], *item["shape"]).permute(0, 3, 1, 2)
        inputs.append(maps.contiguous(memory_format=layout))
    if not is_training:
        net.eval()

        def infer():
            with torch.inference_mode():
                net(inputs)

        return infer, lambda: scores(net, inputs)
    net.train()
    labels = torch.tensor(setup["labels"])
    adam = setup["adam"]
    optimizer = torch.optim.Adam(
        net.parameters(),
        lr=adam["rate"],
        betas=(adam["beta1"], adam["beta2"]),
        eps=adam["epsilon"],
        fused=True,
    )

    def train():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(inputs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return train, None


def scores(net, inputs):
    with torch.inference_mode():
        return net(inputs).flatten().tolist()


def net_class():
    class Net(nn.Module):
        def __init__(self, graph, weights):
            super().__init__()
            self.graph = graph
            self.steps = nn.ModuleDict()
            shapes = {item["name"]: item["shape"] for item in graph["inputs"]}
            # rows of a flattened map in our order (h, w, c), by layer
            orders = {}
            for layer in graph["layers"]:
                name, source = layer["name"], layer["inputs"][0]
                sources = [shapes[i] for i in layer["inputs"]]
                module, shapes[name] = MAKERS[layer["op"]](layer, sources)
                self.steps[key(name)] = module
                orders[name] = order_of(layer, sources[0], orders.get(source))
                load(module, layer, weights, orders.get(source))

        def forward(self, inputs):
            values = {item["name"]: x for item, x in zip(self.graph["inputs"], inputs)}
            for layer in self.graph["layers"]:
                read = [values[i] for i in layer["inputs"]]
                module = self.steps[key(layer["name"])]
                is_joined = layer["op"] == "concat"
                values[layer["name"]] = torch.cat(read, 1) if is_joined else module(read[0])
            return values[self.graph["layers"][-1]["name"]]

    return Net


def key(name):
    return name.replace(".", "/")


def order_of(layer, shape, before):
    """PyTorch flattens [C, H, W], we [H, W, C]: where each of its elements is in our order."""
    if layer["op"] == "flatten" and len(shape) == 3:
        H, W, C = shape
        return torch.arange(H * W * C).reshape(H, W, C).permute(2, 0, 1).flatten()
    return before if layer["op"] in ("relu", "dropout", "flatten") else None


def conv(layer, shapes):
    H, W, C = shapes[0]
    (kh, kw), (sh, sw) = layer["kernel"], layer["stride"]
    is_same = layer["padding"] == "same"
    (top, bottom), (left, right) = (
        (peer.same(H, kh, sh), peer.same(W, kw, sw)) if is_same else ((0, 0), (0, 0))
    )
    is_depthwise = layer["op"] == "depthwiseConv2d"
    N = C if is_depthwise else layer["filters"]
    groups = C if is_depthwise else layer.get("groups", 1)
    is_even = top == bottom and left == right
    padding = (top, left) if is_even else 0
    module = nn.Conv2d(C, N, (kh, kw), (sh, sw), padding, groups=groups, bias=layer["bias"])
    out = [(H + top + bottom - kh) // sh + 1, (W + left + right - kw) // sw + 1, N]
    if is_even:
        return module, out
    return nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), module), out


def batch_norm(layer, shapes):
    make = nn.BatchNorm2d if len(shapes[0]) == 3 else nn.BatchNorm1d
    return make(shapes[0][-1], layer["epsilon"], layer["momentum"]), shapes[0]


def max_pool(layer, shapes):
    (h, w), (H, W, C) = layer["size"], shapes[0]
    return nn.MaxPool2d((h, w)), [H // h, W // w, C]


def average(layer, shapes):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), [shapes[0][2]]


def product(shape):
    size = 1
    for extent in shape:
        size *= extent
    return size


MAKERS = {
    "conv2d": conv,
    "depthwiseConv2d": conv,
    "dense": lambda layer, s: (
        nn.Linear(product(s[0]), layer["units"], layer["bias"]),
        [layer["units"]],
    ),
    "batchNorm": batch_norm,
    "relu": lambda layer, s: (nn.ReLU(inplace=True), s[0]),
    "maxPool": max_pool,
    "globalAveragePool": average,
    "flatten": lambda layer, s: (nn.Flatten(), [product(s[0])]),
    "dropout": lambda layer, s: (nn.Dropout(layer["rate"]), s[0]),
    "concat": lambda layer, s: (nn.Identity(), [sum(shape[0] for shape in s)]),
}

ROLES = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}


def load(module, layer, weights, order):
    target = module[-1] if layer["op"].lower().endswith("conv2d") and is_padded(module) else module
    for name, (values, shape) in weights.items():
        owner, role = name.rsplit(".", 1)
        if owner != layer["name"]:
            continue
        tensor = torch.tensor(values).reshape(shape)
        if layer["op"] == "conv2d" and role == "weight":
            tensor = tensor.permute(3, 2, 0, 1)
        elif layer["op"] == "depthwiseConv2d" and role == "weight":
            tensor = tensor.permute(2, 0, 1).unsqueeze(1)
        elif layer["op"] == "dense" and role == "weight":
            tensor = (tensor if order is None else tensor[order]).T
        with torch.no_grad():
            getattr(target, ROLES.get(role, role)).copy_(tensor)


def is_padded(module):
    return isinstance(module, nn.Sequential)


peer.serve(library, build)
