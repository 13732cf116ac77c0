"""The parts of a plain script that split its data, train, evaluate, and draw the gradients."""

import textwrap

from studies.exchange.plain_script.recipe import Recipe
from trainables.base.augmentation_kinds import MAX_DEGREES, MAX_SHEAR, MAX_SHIFT, MAX_ZOOM, kinds_of
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.splits import TEST_SHARE, VALIDATION_SHARE
from trainables.data.text_counts import MIN_DOCUMENTS
from trainables.training.schedules import DECAY, PLATEAU_FACTOR, PLATEAU_PATIENCE

EVALUATED_AT_ONCE = 1000
"""Examples that a script evaluates at a time."""

ABOUT_WIDTH = 100
"""Most characters in a line of a docstring."""


def parts_text(recipe: Recipe) -> str:
    """Return what splits the rows of a block, as the study does, and prepares the inputs by the training part."""
    train_size = recipe.hyperparameters.train_size
    smaller = ""
    if train_size is not None and train_size < 1:
        smaller = f"""
    # Only {train_size:.4g} of the training part, as in the study.
    train, _ = train_test_split(
        train, test_size={1 - train_size!r}, stratify=targets[train], random_state=random_state
    )
    train = np.sort(train)"""
    return f'''def parts(inputs, targets, random_state):
    """Inputs and targets of the training, validation and test part, with equal shares of each class."""
{_first_split(recipe)}
    train, validation = train_test_split(
        rest, test_size={VALIDATION_SHARE}, stratify=targets[rest], random_state=random_state
    )
    train, validation, test = np.sort(train), np.sort(validation), np.sort(test){smaller}
{_preparation(recipe)}
'''


def _first_split(recipe: Recipe) -> str:
    official = recipe.data.official_test
    if official is not None:
        num_rest = len(recipe.data.targets) - len(official)
        return f"    rest, test = np.arange({num_rest}), np.arange({num_rest}, len(targets))"
    return f"""    rest, test = train_test_split(
        np.arange(len(targets)), test_size={TEST_SHARE}, stratify=targets, random_state=random_state
    )
    rest = np.sort(rest)"""


def _preparation(recipe: Recipe) -> str:
    data = recipe.data
    if recipe.has_texts:
        return f"""    # Words and pairs of words that tell the training part's classes apart best, weighted by TF-IDF.
    counter = CountVectorizer(ngram_range=(1, 2), min_df={MIN_DOCUMENTS}, binary=True)
    counts = counter.fit_transform(inputs[train])
    best = SelectKBest(chi2, k=NUM_FEATURES).fit(counts, targets[train])
    words = best.get_feature_names_out(counter.get_feature_names_out())
    tfidf = TfidfVectorizer(ngram_range=(1, 2), vocabulary=words, sublinear_tf=True, dtype=np.float32)
    tfidf.fit(inputs[train])
    return [(tfidf.transform(inputs[part]), torch.tensor(targets[part])) for part in (train, validation, test)]"""
    lines = _scaling(recipe)
    if recipe.is_image_network:
        assert data.shape is not None
        shape = ", ".join(map(str, data.shape if len(data.shape) == 3 else (1, *data.shape)))
        lines.append(f"    inputs = inputs.reshape(-1, {shape})")
    lines.append(
        "    return [(torch.tensor(inputs[part]), torch.tensor(targets[part])) for part in (train, validation, test)]"
    )
    return "\n".join(lines)


def _scaling(recipe: Recipe) -> list[str]:
    """Return the lines that scale the inputs by the training part, none if the dataset is not scaled."""
    groups = recipe.data.groups
    if groups is None:
        return []
    if recipe.data.shape is not None and len(recipe.data.shape) == 3:
        channels = recipe.data.shape[0]
        return [
            f"    colours = inputs.reshape(len(inputs), {channels}, -1)",
            "    mean = colours[train].mean((0, 2), dtype=np.float64, keepdims=True)",
            "    deviation = colours[train].std((0, 2), dtype=np.float64, keepdims=True)",
            "    inputs = ((colours - mean) / deviation).reshape(inputs.shape).astype(np.float32)",
        ]
    has_missing = bool(recipe.data.num_features and _misses(recipe))
    nan = "nan" if has_missing else ""
    mean = f"np.{nan}mean(inputs[train], axis=0, dtype=np.float64)"
    deviation = f"np.{nan}std(inputs[train], axis=0, dtype=np.float64)"
    lines = [f"    mean, deviation = {mean}, {deviation}"]
    lines.append("    is_constant = deviation < 1e-6")
    if (groups < 0).any():
        lines.append(
            "    mean[len(NUMBERS) :], deviation[len(NUMBERS) :] = 0, 1  # columns of 0 and 1 stay so"
        )
    lines += [
        "    inputs = (inputs - mean) / np.where(is_constant, np.inf, deviation)  # a constant column becomes 0"
    ]
    if has_missing:
        lines.append("    inputs = np.where(np.isnan(inputs), np.nanmedian(inputs[train], axis=0), inputs)")
    lines.append("    inputs = inputs.astype(np.float32)")
    return lines


def _misses(recipe: Recipe) -> bool:
    return any(facts.kind == "number" and facts.num_missing for facts in recipe.data.columns)


def augmentation_text(recipe: Recipe) -> str:
    """Return what changes training images at random; empty without augmentation."""
    kinds = kinds_of(recipe.hyperparameters.augmentation)
    if not kinds:
        return ""
    shape = recipe.data.shape
    assert shape is not None
    image = ", ".join(map(str, shape if len(shape) == 3 else (1, *shape)))
    steps = {
        "flip": ("mirrored", "matrix[:, 0] *= (torch.rand(n, 1) < 0.5) * 2.0 - 1"),
        "shear": (
            f"sheared by up to {MAX_SHEAR:g}",
            f"matrix = matrix @ turn(1, -uniform(n, {MAX_SHEAR}), 0, 1)",
        ),
        "rotation": (
            f"turned by up to {MAX_DEGREES:g} degrees",
            f"angle = uniform(n, math.radians({MAX_DEGREES:g}))\n"
            "    matrix = matrix @ turn(angle.cos(), -angle.sin(), angle.sin(), angle.cos())",
        ),
        "zoom": (
            f"scaled by up to {MAX_ZOOM:.0%}",
            f"matrix = matrix / (1 + uniform(n, {MAX_ZOOM})).view(-1, 1, 1)",
        ),
    }
    used = [step for kind, step in steps.items() if kind in kinds]
    told = [
        *(name for name, _ in used),
        *([f"shifted by up to {MAX_SHIFT:.0%} of a side"] if "shift" in kinds else []),
    ]
    lines = "".join(f"    {line}\n" for _, line in used)
    moved = f"-2 * matrix @ uniform((n, 2, 1), {MAX_SHIFT})" if "shift" in kinds else "torch.zeros(n, 2, 1)"
    uniform = (
        '''def uniform(size, most):
    """Random numbers between -most and most."""
    return (torch.rand(size) * 2 - 1) * most


'''
        if set(kinds) - {"flip"}
        else ""
    )
    turn = (
        '''def turn(*entries):
    """2 x 2 matrices, one for each image, from their entries row by row."""
    return torch.stack(torch.broadcast_tensors(*map(torch.as_tensor, entries)), dim=1).view(-1, 2, 2)


'''
        if {"shear", "rotation"} & set(kinds)
        else ""
    )
    about = textwrap.wrap(f"Each image {_listed(told)} at random, anew in every epoch.", ABOUT_WIDTH)
    docstring = about[0] if len(about) == 1 else "\n    ".join([*about, ""])
    return f'''{uniform}{turn}def augment(images):
    """{docstring}"""
    n, shape = len(images), images.shape
    images = images.reshape(-1, {image})
    # The matrix says where the image is read for each place that is drawn.
    matrix = torch.eye(2).repeat(n, 1, 1)
{lines}    matrix = torch.cat([matrix, {moved}], dim=2)
    grid = nn.functional.affine_grid(matrix, images.shape, align_corners=False)
    return nn.functional.grid_sample(images, grid, align_corners=False).reshape(shape)
'''


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def training_text(recipe: Recipe) -> str:
    """Return what trains a network and what evaluates one."""
    hp = recipe.hyperparameters
    batch = "dense(x[rows.numpy()])" if recipe.has_texts else "x[rows]"
    batch = f"augment({batch})" if hp.augmentation != "none" else batch
    smoothing = f"label_smoothing={hp.label_smoothing!r}" if hp.label_smoothing else ""
    before, stopping, after = _early_stopping(hp)
    makes, steps = _schedule(hp)
    given = "network, train, validation" if uses_validation(recipe) else "network, train"
    lines = [
        "x, y = train",
        *_optimizer(hp),
        *makes,
        f"loss_of = nn.CrossEntropyLoss({smoothing})",
        *before,
        "gradients = []",
        "for epoch in range(1, EPOCHS + 1):",
        "    network.train()",
        "    sizes = []",
        "    for rows in torch.randperm(len(y)).split(BATCH_SIZE):",
        *(
            [
                "        if len(rows) == 1:  # batch norm is undefined for a single example",
                "            continue",
            ]
            if hp.batch_norm
            and _num_train(recipe) % hp.batch_size == 1
            and _num_train(recipe) > hp.batch_size
            else []
        ),
        f"        loss = loss_of(network({batch}), y[rows])",
        "        for h in network.hidden:",
        "            h.retain_grad()",
        "        optimizer.zero_grad()",
        "        loss.backward()",
        "        sizes.append(torch.stack([h.grad.square().mean().sqrt() for h in network.hidden]))",
        *(
            ["        nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)"]
            if hp.clip_norm is not None
            else []
        ),
        "        optimizer.step()",
        "    gradients.append(torch.stack(sizes).mean(0).tolist())",
        *(["    val_loss, val_accuracy = evaluate(network, *validation)"] if uses_validation(recipe) else []),
        *(
            [
                '    print(f"epoch {epoch}: validation loss {val_loss:.4f}, accuracy {val_accuracy:.4f}", flush=True)'
            ]
            if recipe.is_image_network
            else []
        ),
        *([f"    {steps}"] if steps else []),
        *(f"    {line}" for line in stopping),
        *after,
        "return gradients",
    ]
    body = "\n".join(f"    {line}" for line in lines)
    chunks = (
        f"[network(dense(x[i : i + {EVALUATED_AT_ONCE}])) for i in range(0, len(y), {EVALUATED_AT_ONCE})]"
        if recipe.has_texts
        else f"[network(part) for part in x.split({EVALUATED_AT_ONCE})]"
    )
    dense = (
        '''def dense(rows):
    """Sparse rows as PyTorch takes them."""
    return torch.tensor(rows.toarray())


'''
        if recipe.has_texts
        else ""
    )
    return f'''{dense}def fit({given}):
    """Train the network; return the size of dL/dh at each hidden layer, the mean of each epoch."""
{body}


@torch.no_grad()
def evaluate(network, x, y):
    """Mean log-loss (nats) and accuracy."""
    network.eval()
    logits = torch.cat({chunks})
    return nn.functional.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()
'''


def uses_validation(recipe: Recipe) -> bool:
    """Return whether training looks at the validation part."""
    hp = recipe.hyperparameters
    return hp.patience is not None or hp.schedule == "plateau" or recipe.is_image_network


def _num_train(recipe: Recipe) -> int:
    """Return the number of rows of a training part, as scikit-learn rounds."""
    from trainables.data.splits import split_block

    split = split_block(
        recipe.data.targets,
        seed=0,
        block=0,
        train_size=recipe.hyperparameters.train_size,
        official_test=recipe.data.official_test,
    )
    return len(split.train)


def _optimizer(hp: Hyperparameters) -> list[str]:
    adam: dict[str, object] = {"betas": hp.betas, "eps": hp.eps}
    kinds: dict[str, tuple[str, dict[str, object]]] = {
        "sgd": ("SGD", {"momentum": hp.momentum}),
        "adam": ("Adam", adam),
        "adamw": ("AdamW", adam),
        "rmsprop": ("RMSprop", {"alpha": hp.alpha, "eps": hp.eps}),
    }
    kind, settings = kinds[hp.optimizer]
    decay = hp.decoupled_weight_decay if hp.optimizer == "adamw" else hp.weight_decay
    if decay or hp.optimizer == "adamw":
        settings = {**settings, "weight_decay": decay}
    told = ", ".join(["lr=LEARNING_RATE", *(f"{name}={value!r}" for name, value in settings.items())])
    return [f"optimizer = torch.optim.{kind}(", f"    network.parameters(), {told}", ")"]


def _schedule(hp: Hyperparameters) -> tuple[list[str], str]:
    """Return the lines that make a schedule of the learning rate, and the one that follows it after an epoch."""
    made = {
        "constant": "",
        "exponential": f"ExponentialLR(optimizer, gamma={DECAY})",
        "cosine": f"CosineAnnealingLR(optimizer, T_max=EPOCHS, eta_min={hp.min_lr!r})",
        "plateau": "",
    }[hp.schedule]
    if hp.schedule == "plateau":
        mode = "max" if hp.monitor == "val_accuracy" else "min"
        lines = [
            "schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(",
            f'    optimizer, mode="{mode}", factor={PLATEAU_FACTOR}, patience={PLATEAU_PATIENCE}, min_lr={hp.min_lr!r}',
            ")",
        ]
        return lines, f"schedule.step({hp.monitor})"
    return ([f"schedule = torch.optim.lr_scheduler.{made}"], "schedule.step()") if made else ([], "")


def _early_stopping(hp: Hyperparameters) -> tuple[list[str], list[str], list[str]]:
    """Return the lines of early stopping before the epochs, in each, and after them."""
    if hp.patience is None:
        return [], [], []
    higher = hp.monitor == "val_accuracy"
    return (
        [f"best, best_epoch = {'-' if higher else ''}math.inf, 0"],
        [
            f"if {hp.monitor} {'>' if higher else '<'} best:",
            f"    best, best_epoch, best_weights = {hp.monitor}, epoch, copy.deepcopy(network.state_dict())",
            "elif epoch - best_epoch >= PATIENCE:",
            "    break",
        ],
        ["network.load_state_dict(best_weights)"],
    )


PLOT = '''def plot_gradients(gradients):
    """Draw how large the loss's gradient is at the output of each hidden layer."""
    layers = range(1, len(gradients[0]) + 1)
    plt.figure(figsize=(6, 4))
    plt.semilogy(layers, gradients[0], "o-", label="epoch 1")
    plt.semilogy(layers, gradients[-1], "s--", label=f"epoch {len(gradients)}")
    plt.xticks(layers)
    plt.xlabel("hidden layer, from the input on")
    plt.ylabel("dL/dh, root mean square")
    plt.legend()
    plt.tight_layout()
    path = Path(__file__).with_name(f"{Path(__file__).stem}_gradients.png")
    plt.savefig(path, dpi=150)
    print(f"gradients: {path}")
'''
