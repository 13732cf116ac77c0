#!/bin/bash
# A study on SLURM that goes on by itself at the walltime:  sbatch slurm.sh depth_study
# docs/cluster.md, "SLURM", begins at nothing. Everything that a cluster wants otherwise is in these lines.
#SBATCH --job-name=studies
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --exclusive
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@180
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
set -uo pipefail

study=${1:-depth_study}
name=${2:-$study-cluster}
. "${STUDIES_VENV:-$SLURM_SUBMIT_DIR/.venv}/bin/activate" || exit 1

# A token that only you can read, the same on every node: home is shared.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$HOME/.ray/studies-$SLURM_JOB_ID.token"
(umask 077 && mkdir -p "$HOME/.ray" && python -c 'import secrets; print(secrets.token_hex(32), end="")' \
  >"$RAY_AUTH_TOKEN_PATH") || exit 1
trap 'rm -f "$RAY_AUTH_TOKEN_PATH"' EXIT
# Of one's own, because /tmp/ray may belong to somebody else who uses the node.
export RAY_TMPDIR="/tmp/ray-$SLURM_JOB_ID" RAY_USAGE_STATS_ENABLED=0
# Nodes may start a minute apart; by default symmetric-run gives up after 30 s.
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=180

# By number: a node's own name may mean 127.0.1.1 to itself, and symmetric-run then waits for a head that never starts.
# Where a node has several networks, name the one that the others reach.
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 --nodelist="$first" hostname -I | cut -d ' ' -f 1):6379

# Three minutes before the walltime the study is asked to stop, as by anybody who reaches its database, and the job is
# put back into the queue. Ray is not signalled, which would leave processes behind.
is_over=no
at_walltime() {
  is_over=yes
  studies stop "$name" || scontrol requeue "$SLURM_JOB_ID" # which ends this attempt at once
}
trap at_walltime TERM

# The earlier attempt of a job that was requeued is dead: SLURM runs a job once at a time. So --take-over is safe then,
# and only then: another job of the same study may run.
srun ray symmetric-run --address "$address" --min-nodes "$SLURM_JOB_NUM_NODES" \
  --num-cpus "$SLURM_CPUS_PER_TASK" -- \
  studies run "$study" --name "$name" --profile cluster --address "$address" ${SLURM_RESTART_COUNT:+--take-over} &
step=$!
wait "$step"
code=$?
if [ "$is_over" = yes ]; then # the signal has interrupted the waiting
  wait "$step"
  code=$?
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
