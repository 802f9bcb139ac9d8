"""The role: what a machine learning engineer does, is measured by, and is asked on the way to the job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True)
class Item:
    """One activity, measure or stage.

    Attributes:
        name: What it is called.
        means: What it means in practice.
        where: Where in modelwright it is done, one sentence.
        commands: Commands that do it, each beginning with ``modelwright``.
    """

    name: str
    means: str
    where: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the page."""

    title: str
    lead: str
    items: tuple[Item, ...]


ACTIVITIES = Part(
    "What the engineer does",
    "Nine activities. Most of a week goes into the second, most arguments are about the third, and most "
    "incidents come from the sixth.",
    (
        Item(
            "Developing models",
            "Turn a question of the business into a target, a table and a measure; then find the simplest "
            "model that answers it well enough. Half of the work is refusing targets that cannot be known at "
            "the time of prediction.",
            "The search tries families of models side by side, keeps what each cost, and says which are tied "
            "with the best.",
            ("modelwright train churn.csv --target Churn --budget 10m",),
        ),
        Item(
            "Preparing data and features",
            "Find out what every column means, what is missing and why, what leaks the answer; then make "
            "columns that carry the signal, by rules that are learnt on training rows only.",
            "The contract says what each column means and is enforced wherever rows are scored; findings "
            "name leaks, duplicates and conflicts before any score; the feature plan travels with the model.",
            (
                "modelwright profile churn.csv --target Churn",
                "modelwright handbook feature-extraction --data churn.csv --target Churn",
            ),
        ),
        Item(
            "Training and evaluating",
            "Split the rows as the model will be used, compare candidates on folds, and judge the chosen one "
            "once on rows nothing has looked at, with an interval and beside a baseline.",
            "Rows are sealed before anything is learnt and read once; every measure has a 95 % interval and "
            "stands beside a constant and a default LightGBM.",
            ("modelwright train churn.csv --target Churn", "modelwright evaluate churn.model later.csv"),
        ),
        Item(
            "Optimising and tuning",
            "Spend the time that is left where it pays: settings of the leading family, features, an "
            "ensemble, a threshold; and know when to stop.",
            "Leading families are tuned when the portfolio is through; the budget is a promise by the clock, "
            "and tuning ends when nothing more is gained on rows that did not choose.",
            ("modelwright train churn.csv --target Churn --budget 1h",),
        ),
        Item(
            "Deploying",
            "Put the model where answers are needed, with the same features as in training, a defined "
            "contract for wrong input, a way back, and nothing in the package that can run code.",
            "A package is plain files with checksums and a golden sample that is replayed on load; the same "
            "code applies features in batch and in service.",
            (
                "modelwright predict churn.model rows.csv --out scored.parquet",
                "modelwright register churn.model --name churn",
                "modelwright serve churn.model",
                "modelwright export churn --to docker",
            ),
        ),
        Item(
            "Monitoring and maintaining",
            "Watch whether inputs drift, whether quality holds once labels arrive, whether it is fast and "
            "up; retrain when it pays, and roll back when it doesn't.",
            "Predictions are logged, outcomes joined when they come, and signals become advice; a challenger "
            "takes over only by a verdict on record.",
            (
                "modelwright evaluate churn.model labelled_later.csv",
                "modelwright watch churn",
                "modelwright retrain churn",
                "modelwright rollback churn",
                "modelwright replay table.csv --time date --target y",
            ),
        ),
        Item(
            "Collaborating with other trades",
            "Agree with product on what a mistake costs, with data engineers on a contract, with software "
            "engineers on an interface, with lawyers on what may be used.",
            "The contract is a file to be edited and given back; the report's first screen is written for "
            "somebody who is no engineer; a model card says what not to use it for.",
            (
                "modelwright profile churn.csv --contract-out contract.json",
                "modelwright report churn.model --open",
                "modelwright explain churn.model rows.csv",
            ),
        ),
        Item(
            "Staying up to date with methods",
            "Read what is new, and try it on your own data against what you have, with an interval, before "
            "you believe it.",
            "The handbook shows each concept on your own table; a learner of your own joins by an entry "
            "point and races the others on equal terms.",
            ("modelwright handbook --practice", "modelwright scout churn"),
        ),
        Item(
            "Documenting and communicating",
            "Write down what was done, so that it can be repeated; say what is known and how surely, in "
            "words that the reader uses.",
            "Every number in the report says what it was measured on; the manifest holds the command that "
            "repeats the run; page and card are drawn from the same evidence.",
            ("modelwright report churn.model", "modelwright handbook --build handbook/"),
        ),
    ),
)

MEASURES = Part(
    "What the work is measured by",
    "Sixteen measures. None is good alone: quality without its time and size, or a mean without its "
    "interval, has misled every team once.",
    (
        Item(
            "Accuracy",
            "Share of right answers. Meaningless without the share of the most usual label beside it.",
            "In every report of a classification, with a Wilson interval.",
            ("modelwright handbook classification-metrics",),
        ),
        Item(
            "Precision",
            "Of the rows called positive, the share that are. It falls when alarms are cheap.",
            "At the threshold the model answers by, which is chosen on training rows.",
            ("modelwright handbook precision-recall",),
        ),
        Item(
            "Recall",
            "Of the rows that are positive, the share that are found. It falls when misses are cheap.",
            "Beside precision, for the positive label or as the mean over labels.",
            ("modelwright handbook precision-recall",),
        ),
        Item(
            "F1",
            "Harmonic mean of precision and recall; low when either is low.",
            "For the positive label, and as a plain mean over labels.",
            ("modelwright handbook imbalanced-data",),
        ),
        Item(
            "MAE",
            "Mean absolute error, in the target's unit: how far off an answer usually is.",
            "The first sentence of a regression report.",
            ("modelwright evaluate price.model later.csv",),
        ),
        Item(
            "MSE",
            "Mean squared error: what most regressions minimise; its unit is the target's, squared, so few "
            "people can read it.",
            "In the table of measures, and split into bias and variance.",
            ("modelwright evaluate price.model later.csv",),
        ),
        Item(
            "RMSE",
            "Root of it, back in the target's unit; it punishes large misses more than MAE does. A large gap "
            "between the two means a few rows are very wrong.",
            "The measure regressions are chosen by unless you say otherwise.",
            ("modelwright train prices.csv --target price --metric rmse",),
        ),
        Item(
            "MAPE",
            "Mean error in per cent of the truth. Undefined at zero, harsh near it, and kinder to answers "
            "that are too low.",
            "Rows whose target is zero are left out, and the report counts them.",
            ("modelwright evaluate price.model later.csv",),
        ),
        Item(
            "R²",
            "Share of the target's variance that is explained; 0 is the mean, below 0 is worse than the mean.",
            "With its interval, and in words.",
            ("modelwright handbook supervised-unsupervised",),
        ),
        Item(
            "Training time",
            "Wall-clock time from table to model, search included: what an experiment costs, and how often "
            "you can retrain.",
            "Measured and broken into stages in every run.",
            ("modelwright train churn.csv --target Churn --json",),
        ),
        Item(
            "Inference time",
            "How long one answer takes, and how many rows a second a batch does; for a service the slow end "
            "(95th, 99th percentile) is what counts.",
            "For one record and per thousand rows, with intervals over repeats.",
            ("modelwright report churn.model",),
        ),
        Item(
            "Preprocessing time",
            "Time from raw row to features, in training and per request. It is often longer than the model's own.",
            "Apart from the model's time in every report.",
            ("modelwright report churn.model",),
        ),
        Item(
            "Feature importance",
            "How much worse the model gets without a column. It says what the model uses, not what causes the outcome.",
            "By permutation on rows not learnt from, with intervals.",
            ("modelwright report churn.model", "modelwright explain churn.model"),
        ),
        Item(
            "Model size",
            "Bytes on disk and in memory: what fits on a phone, how fast a new version starts.",
            "In the report; forests of large tables are kept small.",
            ("modelwright report churn.model",),
        ),
        Item(
            "Convergence",
            "Whether training had come to rest: still improving means more rounds would pay; a rising "
            "validation loss means too many.",
            "A verdict for each learner that works in rounds, with its curve.",
            ("modelwright handbook overfitting",),
        ),
        Item(
            "Bias–variance",
            "How much of the error comes back with every sample and how much changes with it: the one number "
            "that says whether to collect rows or columns.",
            "By refitting on resamples, with a sentence of what to do.",
            ("modelwright handbook bias-variance",),
        ),
    ),
)

STAGES = Part(
    "On the way to the job",
    "Nine stages of selection. What each wants to know, and how to prepare with what is here.",
    (
        Item(
            "Phone screening",
            "Twenty minutes: can you say plainly what you did, and do your numbers mean anything to you? "
            "Have one project in two sentences, with its baseline, its gain and its interval.",
            "Every page of the handbook begins with an answer of two sentences. Learn the form, then use "
            "your own project.",
            ("modelwright handbook",),
        ),
        Item(
            "Technical interview",
            "Concepts, asked from all sides: why, when not, how would you notice. An example from data you "
            "know beats a definition.",
            "Answer aloud, compare with the points, see the experiment; what you missed comes back.",
            ("modelwright handbook --practice", "modelwright handbook --practice --topic algorithms"),
        ),
        Item(
            "Coding challenge",
            "A table, a target, two hours. They look at the split, at leaks, at a baseline, at how you "
            "write. State what you would do with more time.",
            "Do it by hand; then compare findings, split and baseline with what a minute of modelwright says "
            "about the same table.",
            ("modelwright profile table.csv --target y", "modelwright train table.csv --target y --budget 60s"),
        ),
        Item(
            "Project review",
            "Your work, in depth: why this measure, what went wrong, what you would undo. Bring decisions, "
            "not screenshots.",
            "The report, the findings and the executed plan of a package are the material; the decisions "
            "pages of this project are examples of how to write one.",
            ("modelwright report churn.model",),
        ),
        Item(
            "Behavioural interview",
            "How you disagree, fail, and hand over. Situation, action, result; the result with a number.",
            "Tell of a model you did not ship, and the evidence that stopped it: a leak found, an interval "
            "that held zero.",
            ("modelwright profile churn.csv --target Churn",),
        ),
        Item(
            "On-site",
            "Several of these in a day, often with a system design: data in, features, training, serving, "
            "monitoring, what breaks at night.",
            "Draw the way of a row from table to service and back as a label; the architecture page is one answer.",
            ("modelwright serve churn.model", "modelwright watch churn"),
        ),
        Item(
            "Presentation",
            "Ten minutes for people who are no engineers: what it does, how sure it is, what a mistake "
            "costs, what you ask of them.",
            "The first screen of a report is this presentation in one page.",
            ("modelwright report churn.model --open",),
        ),
        Item(
            "Reference check",
            "Former colleagues are asked whether others could build on your work.",
            "A run that anybody can repeat from its manifest is the best reference: name the command.",
            ("modelwright train churn.csv --target Churn --seed 0",),
        ),
        Item(
            "Final decision",
            "They weigh you against others, under doubt, and so do you. Ask what is measured in the first "
            "half year, on what data, and who labels it.",
            "The nine activities above are a list of questions to ask them.",
            (),
        ),
    ),
)

PARTS = (ACTIVITIES, MEASURES, STAGES)


def known(commands: tuple[str, ...], verbs: Collection[str]) -> tuple[str, ...]:
    """Return the commands whose verb exists.

    >>> known(("modelwright train a.csv", "modelwright fly"), {"train"})
    ('modelwright train a.csv',)
    """
    return tuple(c for c in commands if c.split()[1] in verbs)
