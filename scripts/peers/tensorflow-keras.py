"""TensorFlow: a Keras net, its step compiled by tf.function; the peer of `bench training`."""

import os

import peer


def library(setup):
    global tf, keras, np
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import numpy as np
    import tensorflow as tf

    keras = tf.keras
    tf.config.threading.set_intra_op_parallelism_threads(setup["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(setup["threads"])
    tf.random.set_seed(1)
    return f"TensorFlow {tf.__version__}, Keras {keras.__version__}"


def build(setup):
    graph = setup["graph"]
    net = net_of(graph, setup["weights"])
    inputs = [
        tf.constant(
            np.array(setup["inputs"][item["name"]], np.float32).reshape(
                setup["batch"], *item["shape"]
            )
        )
        for item in graph["inputs"]
    ]
    if setup["task"] == "infer":
        infer = tf.function(lambda *x: net(list(x), training=False))
        return lambda: discard(infer(*inputs).numpy()), lambda: flat(infer(*inputs))
    labels = tf.constant(np.array(setup["labels"], np.int32))
    adam = setup["adam"]
    optimizer = keras.optimizers.Adam(
        adam["rate"], beta_1=adam["beta1"], beta_2=adam["beta2"], epsilon=adam["epsilon"]
    )

    @tf.function
    def train(*x):
        with tf.GradientTape() as tape:
            scores = net(list(x), training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables))
        return loss

    return lambda: float(train(*inputs)), None


def discard(_):
    return None


def flat(scores):
    return scores.numpy().flatten().tolist()


def net_of(graph, weights):
    values = {i["name"]: keras.Input(i["shape"]) for i in graph["inputs"]}
    inputs = list(values.values())
    made = {}
    for layer in graph["layers"]:
        read = [values[name] for name in layer["inputs"]]
        made[layer["name"]] = MAKERS[layer["op"]](layer)
        values[layer["name"]] = made[layer["name"]](read if layer["op"] == "concat" else read[0])
    net = keras.Model(inputs, values[graph["layers"][-1]["name"]])
    for layer in graph["layers"]:
        load(made[layer["name"]], layer, weights)
    return net


def window(layer):
    return {
        "kernel_size": layer["kernel"],
        "strides": layer["stride"],
        "padding": layer["padding"],
        "use_bias": layer["bias"],
    }


MAKERS = {
    "conv2d": lambda l: keras.layers.Conv2D(l["filters"], **window(l)),
    "depthwiseConv2d": lambda l: keras.layers.DepthwiseConv2D(**window(l)),
    "dense": lambda l: keras.layers.Dense(l["units"], use_bias=l["bias"]),
    "batchNorm": lambda l: keras.layers.BatchNormalization(
        momentum=1 - l["momentum"], epsilon=l["epsilon"]
    ),
    "relu": lambda l: keras.layers.ReLU(),
    "maxPool": lambda l: keras.layers.MaxPooling2D(l["size"]),
    "globalAveragePool": lambda l: keras.layers.GlobalAveragePooling2D(),
    "flatten": lambda l: keras.layers.Flatten(),
    "dropout": lambda l: keras.layers.Dropout(l["rate"]),
    "concat": lambda l: keras.layers.Concatenate(),
}

ROLES = {"conv2d": ["weight", "bias"], "depthwiseConv2d": ["weight", "bias"]}
ROLES = {**ROLES, "dense": ["weight", "bias"], "batchNorm": ["gamma", "beta", "mean", "variance"]}


def load(made, layer, weights):
    names = [f"{layer['name']}.{role}" for role in ROLES.get(layer["op"], [])]
    found = [weights[name] for name in names if name in weights]
    arrays = [np.array(values, np.float32).reshape(shape) for values, shape in found]
    if layer["op"] == "depthwiseConv2d":
        arrays[0] = arrays[0][..., np.newaxis]
    if arrays:
        made.set_weights(arrays)


peer.serve(library, build)
