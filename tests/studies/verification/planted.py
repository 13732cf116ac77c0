"""Corruptions to plant in a sound study: the SQL that does it, the checks that find it, and words that they say."""

from tests.studies.verification import sound

# Trial 3 ran to its end, trial STOPPED was stopped at epoch 1; trial 20 is the last, in the confirm phase.
NETWORK = "trial_number = 3 AND replicate = 1"
IN_3, AT_3 = "WHERE number = 3", f"WHERE {NETWORK}"
RUNG_3 = "WHERE trial_number = 3 AND epoch = 1"
STOPPED = "(SELECT number FROM trial WHERE state = 'pruned' ORDER BY number LIMIT 1)"


def without_key(table: str, row: str) -> str:
    """Copy a table as a tool does that forgets its key; a row comes to be there twice."""
    return f"""
        CREATE TABLE copied AS SELECT * FROM {table};
        DROP TABLE {table};
        ALTER TABLE copied RENAME TO {table};
        INSERT INTO {table} SELECT * FROM {table} WHERE {row};
    """


PLANTED = {
    "a missing epoch": (
        f"DELETE FROM epoch {AT_3} AND epoch = 2",
        "I1 I6",
        "trial 3, replicate 1: epoch 2 is missing",
    ),
    "no last epoch": (
        f"DELETE FROM epoch {AT_3} AND epoch = 3",
        "I1 I6",
        "trial 3, replicate 1: epoch 3 is missing",
    ),
    "no first epoch": (
        f"DELETE FROM epoch {AT_3} AND epoch = 1",
        "I1 I6 I9",
        "trial 3, replicate 1: epoch 1 is missing",
    ),
    "no epochs": (
        f"DELETE FROM epoch {AT_3}",
        "I1 I6 I9",
        "trial 3, replicate 1: epochs 1, 2, 3 are missing",
    ),
    "a doubled epoch": (
        without_key("epoch", f"{NETWORK} AND epoch = 2"),
        "I1 I5 I6 I7",
        "trial 3, replicate 1: epoch 2 is there more than once",
    ),
    "an epoch past the plan": (
        f"UPDATE epoch SET epoch = 4 {AT_3} AND epoch = 3",
        "I1 I6",
        "trial 3, replicate 1: epoch 3 is missing; epoch 4 is past the plan, which ends with 3",
    ),
    "an epoch past a trial's end": (
        f"UPDATE epoch SET epoch = 2 WHERE trial_number = {STOPPED} AND replicate = 0 AND epoch = 1",
        "I1 I6 I9",
        "replicate 0: epoch 1 is missing; epoch 2 is past what its trial reached, 1",
    ),
    "an epoch before the first": (
        f"UPDATE epoch SET epoch = 0 {AT_3} AND epoch = 1",
        "I1 I9",
        "trial 3, replicate 1: epoch 1 is missing; epoch 0 is before the first",
    ),
    "a network too many": (
        f"UPDATE epoch SET replicate = 2 {AT_3}",
        "I1 I6 I9",
        "trial 3, replicate 2: epochs 1, 2, 3",
    ),
    "a trial too long": (
        f"UPDATE trial SET epochs = 4 {IN_3}",
        "I1 I2 I3 I6",
        "trial 3: trained for more than the plan's 3",
    ),
    "a trial past the plan": (
        "UPDATE trial SET number = 21 WHERE number = 20",
        "I1 I2 I4 I6 I7",
        "trial 21 is not one of the plan's",
    ),
    "another cell": (
        f"UPDATE trial SET cell = 1 {IN_3}",
        "I2 I4 I6",
        "trial 3 is in search, cell 1; its place is",
    ),
    "another phase": (
        "UPDATE trial SET phase = 'search' WHERE number = 20",
        "I2 I6",
        "17 trials in the search phase, where 16 are planned",
    ),
    "another level": (
        f"UPDATE trial SET params = replace(params, '\"depth\": 2', '\"depth\": 1') {IN_3}",
        "I2",
        "trial 3 was trained at depth 1; the plan says [2]",
    ),
    "no parameters": (
        f"UPDATE trial SET params = '{{' {IN_3}",
        "I2 I6 I9",
        "trial 3 has values of nothing readable",
    ),
    "an end and no end": (
        f"UPDATE trial SET state = 'running' {IN_3}",
        "I3 I6",
        "trial 3 is running, and yet has ended_at, objective, networks that ended",
    ),
    "no such state": (
        f"UPDATE trial SET state = 'done' {IN_3}",
        "I3 I6 I9",
        "trial 3 has the state 'done', which does not exist",
    ),
    "two endings of a trial": (
        f"UPDATE trial SET state = 'pruned', stop_reason = 'ASHA at epoch 3' {IN_3}",
        "I3 I6",
        "trial 3 is pruned, and yet has networks that ended as complete: two endings",
    ),
    "an error beside a result": (
        f"UPDATE trial SET error = 'boom' {IN_3}",
        "I3",
        "trial 3 is complete, and yet has error: two endings",
    ),
    "two endings of a network": (
        without_key("replicate", NETWORK),
        "I3 I6 I7",
        "trial 3 has 2 endings of replicate 1",
    ),
    "a trial twice": (without_key("trial", "number = 3"), "I2 I3 I6 I7", "trial 3 is there 2 times"),
    "too short": (
        f"UPDATE trial SET epochs = 2 {IN_3}",
        "I1 I3 I6 I9",
        "trial 3 is complete after 2 of 3 epochs",
    ),
    "stopped in the confirm phase": (
        "UPDATE trial SET state = 'pruned' WHERE number = 20",
        "I3 I6",
        "trial 20 was stopped in the confirm phase, where nothing is",
    ),
    "no time of its end": (
        f"UPDATE trial SET ended_at = NULL {IN_3}",
        "I3",
        "trial 3 is complete without a time",
    ),
    "a wrong decision": (
        f"UPDATE rung_result SET decision = 'stop' {RUNG_3}",
        "I3 I4",
        "trial 3, epoch 1: stored is stop, a replay says continue",
    ),
    "a decision not obeyed": (
        f"UPDATE rung_result SET decision = 'continue' WHERE trial_number = {STOPPED}",
        "I3 I4",
        "epoch 1: stored is continue, a replay says stop",
    ),
    "another objective at a rung": (
        "UPDATE rung_result SET objective = 99 WHERE epoch = 1 AND trial_number = 7",
        "I4 I9",
        "trial 7, epoch 1: stored is continue, a replay says stop",
    ),
    "a lost decision": (
        f"DELETE FROM rung_result {RUNG_3}",
        "I4",
        "trial 3, epoch 1: the rung was reached and nothing is decided",
    ),
    "a doubled decision": (
        without_key("rung_result", "trial_number = 3 AND epoch = 1"),
        "I4 I5 I7",
        "trial 3, epoch 1: decided more than once",
    ),
    "a decision between rungs": (
        f"UPDATE rung_result SET epoch = 2 {RUNG_3}",
        "I4 I9",
        "trial 3, epoch 2: there is no such trial, no such rung or no objective",
    ),
    "a falling token": (
        "UPDATE epoch SET fencing_token = 2 WHERE sequence = (SELECT max(sequence) FROM epoch)",
        "I5",
        "has token 2 after token 3",
    ),
    "a token never given": (
        "UPDATE event SET fencing_token = 9 WHERE kind = 'run_ended'",
        "I5",
        "a token has the number 9, and the study has given 3 at most",
    ),
    "a number given twice": (
        f"UPDATE epoch SET sequence = sequence - 1 {AT_3} AND epoch = 2",
        "I5",
        "has a number that was given before",
    ),
    "a lost network": (
        f"DELETE FROM replicate {AT_3}",
        "I6",
        "trial 3: not all of the networks are there",
    ),
    "another block": (
        f"UPDATE replicate SET block = 7 {AT_3}",
        "I6",
        "trial 3: networks on other blocks than planned",
    ),
    "a test part read early": (
        f"UPDATE replicate SET test_loss = 1 {AT_3}",
        "I6",
        "trial 3: the test part was read in the search",
    ),
    "a lost test loss": (
        "UPDATE replicate SET test_loss = NULL WHERE trial_number = 20",
        "I6",
        "trial 20: ended without a test loss",
    ),
    "another objective": (
        f"UPDATE trial SET objective = 0 {IN_3}",
        "I6 I9",
        "trial 3 has the objective 0.0, and",
    ),
    "a lost layer": (
        f"UPDATE layer_gradient SET layer = 2 {AT_3}",
        "I6",
        "trial 3: layers are missing, there twice, or",
    ),
    "a lost trial": (
        "PRAGMA foreign_keys = ON; DELETE FROM trial WHERE number = 20",
        "I6",
        "the study is complete without trial 20 of its confirm phase",
    ),
    "rows without their trial": (
        "DELETE FROM trial WHERE number = 20",
        "I1 I4 I6 I7",
        "rows of epoch refer to no trial",
    ),
    "a table without its key": (without_key("epoch", "0"), "I7", "the table epoch has no primary key of"),
    "a table without references": (
        without_key("epoch", "0"),
        "I7",
        "the table epoch has no foreign key from",
    ),
    "another plan": ("UPDATE study SET plan = replace(plan, '0.02', '0.03')", "plan", "it was changed"),
    "another seed": ("UPDATE study SET seed = 5", "plan", "the plan's seed is 0, and the study's row says 5"),
    "another hash of a file": ("UPDATE artifact SET sha256 = 'ab'", "I8", f"{sound.FILE} has the hash"),
    "a file elsewhere": ("UPDATE artifact SET path = '../studies.db'", "I8", "../studies.db leads out of"),
    "made-up metrics": (
        f"UPDATE epoch SET metrics = '{{\"val_macro_f1\": 7}}' {AT_3} AND epoch = 2",
        "I9",
        "table epoch, trial 3, replicate 1, epoch 2: metrics has val_macro_f1 7, and it holds numbers from 0 to 1",
    ),
    "metrics that are no JSON": (
        f"UPDATE epoch SET metrics = '{{\"a\"' {AT_3} AND epoch = 2",
        "I9",
        "table epoch, trial 3, replicate 1, epoch 2: metrics is not JSON",
    ),
    "an accuracy above 1": (
        f"UPDATE epoch SET train_accuracy = 1.5 {AT_3} AND epoch = 2",
        "I9",
        "table epoch, trial 3, replicate 1, epoch 2: train_accuracy is 1.5, and holds numbers from 0 to 1",
    ),
    "a negative loss": (
        f"UPDATE epoch SET train_loss = -1 {AT_3} AND epoch = 2",
        "I9",
        "trial 3, replicate 1, epoch 2: train_loss is -1, and holds numbers from 0 to any above",
    ),
    "a score unlike its last epoch's": (
        f"UPDATE replicate SET val_loss = 0.5 {AT_3}",
        "I9",
        "table replicate, trial 3, replicate 1: val_loss is 0.5, and 1.21668 in its epoch 3",
    ),
    "a verdict that there is not": (
        f"UPDATE replicate SET verdict_initial = 'FINE' {AT_3}",
        "I9",
        "table replicate, trial 3, replicate 1: verdict_initial is not a known value",
    ),
    "a verdict from nothing": (
        f"UPDATE replicate SET verdict_initial = 'DEAD' {AT_3}",
        "I9",
        "table replicate, trial 3, replicate 1: verdicts are missing",
    ),
    "seconds below 0": (
        f"UPDATE trial SET busy_seconds = -1 {IN_3}",
        "I9",
        "table trial, trial 3: busy_seconds is -1",
    ),
    "an end before its start": (
        f"UPDATE trial SET ended_at = '2020-01-01 00:00:00' {IN_3}",
        "I9",
        "table trial, trial 3: ended_at is before started_at",
    ),
    "a time that is none": (
        f"UPDATE trial SET ended_at = 'noon' {IN_3}",
        "I3 I9",
        "table trial, trial 3: ended_at is not a time",
    ),
    "a number that is none": (
        f"UPDATE layer_gradient SET grad_rms = 'much' {AT_3} AND epoch = 0",
        "I9",
        "table layer_gradient, trial 3, replicate 1, epoch 0, layer 1: grad_rms is not a number",
    ),
    "the end of a run with odd seconds": (
        "UPDATE event SET detail = replace(detail, '\"wall\": 1.0', '\"wall\": -1.0') WHERE kind = 'run_ended'",
        "I9",
        "(run_ended): detail has wall -1.0 in the end of a run",
    ),
    "the start of a run that is no JSON": (
        "UPDATE event SET detail = '{' WHERE kind = 'run_started'",
        "I9",
        "(run_started): detail is not JSON",
    ),
    "nodes that answered without notes": (
        "UPDATE event SET kind = 'nodes_checked', detail = '{\"nodes\": []}' WHERE kind = 'run_ended'",
        "I9",
        "(nodes_checked): detail has no list of notes",
    ),
    "a lost node without a name": (
        "UPDATE event SET kind = 'node_lost', detail = '{\"address\": \"10.0.0.3\"}' WHERE kind = 'run_ended'",
        "I9",
        "(node_lost): detail lacks the address, host or node_id of a node",
    ),
}
