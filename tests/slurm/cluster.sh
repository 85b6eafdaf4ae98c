#!/usr/bin/env bash
# A real Slurm for tests: munge, slurmctld and two slurmd on this one machine, without systemd. As root.
#
#   cluster.sh install        apt-get install what is missing; starts nothing
#   cluster.sh start FOLDER   configure and start, wait until a job can run; then: . FOLDER/env.sh
#   cluster.sh stop FOLDER    cancel all jobs, end the daemons that `start` started, and no others
#
# Everything (configuration, munge key, sockets, logs, pid files) lies in FOLDER, ports are free ones: it shares
# nothing with a Slurm in /etc/slurm or with another copy of itself. The nodes claim more CPUs and memory than there
# are, and four GPUs each, which Slurm hands out like real ones though they are second names of /dev/null.
set -euo pipefail

CPUS=40
MEMORY_MB=200000
GPUS=4
NODES="node1 node2"
PACKAGES="munge slurmctld slurmd slurm-client slurm-wlm-basic-plugins"

say() { printf '[slurm] %s\n' "$*"; }
die() {
  printf '[slurm] error: %s\n' "$*" >&2
  for log in "$DIR"/log/*.log; do echo "== $log"; tail -n 5 "$log"; done >&2 2>/dev/null || true
  exit 1
}

wait_for() {  # wait_for SECONDS WHAT COMMAND...
  local tries=$(($1 * 10)) what=$2
  shift 2
  for ((; tries > 0; tries--)); do timeout 10 "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
  die "timed out waiting for $what"
}

install_packages() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "not installed: that needs root and apt-get (Debian); the tests will be skipped"
    return 0
  fi
  # shellcheck disable=SC2086  # a list of words
  dpkg -s $PACKAGES >/dev/null 2>&1 && return 0
  # 101 keeps the packages from starting daemons of their own
  local policy=/usr/sbin/policy-rc.d made=no
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; made=yes; fi
  apt-get update -qq || true
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $PACKAGES >/dev/null || failed=yes
  if [ $made = yes ]; then rm $policy; fi
  if [ -n "${failed:-}" ]; then say "not installed: apt-get could not get $PACKAGES; the tests will be skipped"; fi
}

free_ports() {  # free_ports COUNT: the first of so many free ports in a row
  python3 - "$1" <<'PYTHON'
import os, socket, sys

def free(port):
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0

count = int(sys.argv[1])
first = 26800 + os.getpid() % 1000 * 5  # not the same where two start at once
print(next(p for p in range(first, 32700, count) if all(free(p + k) for k in range(count))))
PYTHON
}

write_config() {
  local host port node gpu
  host=$(hostname -s)
  getent hosts "$host" >/dev/null || echo "127.0.0.1 $host" >>/etc/hosts  # Slurm looks itself up
  port=$(free_ports 3)
  mkdir -p "$DIR"/{etc,log,run,state,dev,bin,spool}
  chmod 755 "$DIR"
  cat >"$DIR/etc/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
AuthInfo=socket=$DIR/munge/socket
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$port
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPidFile=$DIR/run/slurmctld.pid
SlurmdPidFile=$DIR/run/%n.pid
SlurmctldLogFile=$DIR/log/slurmctld.log
SlurmdLogFile=$DIR/log/%n.log
StateSaveLocation=$DIR/state
SlurmdSpoolDir=$DIR/spool/%n
MailProg=/bin/true
# what each job was given, and what its tasks found: the tests read both
JobCompType=jobcomp/filetxt
JobCompLoc=$DIR/log/jobs.txt
TaskProlog=$DIR/bin/note
# without cgroups, so that it runs in any container; memory is looked at every second
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
ReturnToService=2
KillWait=10
MinJobAge=300
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# refuse at once what can never run
EnforcePartLimits=ALL
GresTypes=gpu
MpiDefault=none
CONF
  for node in $NODES; do
    mkdir -p "$DIR/spool/$node"
    port=$((port + 1))
    cat >>"$DIR/etc/slurm.conf" <<CONF
NodeName=$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$port CPUs=$CPUS CoresPerSocket=$CPUS \
RealMemory=$MEMORY_MB Gres=gpu:$GPUS
CONF
    for ((gpu = 0; gpu < GPUS; gpu++)); do  # Slurm wants a character device each
      [ -e "$DIR/dev/$node-gpu$gpu" ] || mknod "$DIR/dev/$node-gpu$gpu" c 1 3
      echo "NodeName=$node Name=gpu File=$DIR/dev/$node-gpu$gpu" >>"$DIR/etc/gres.conf"
    done
  done
  cat >>"$DIR/etc/slurm.conf" <<CONF
PartitionName=cpu Nodes=${NODES// /,} Default=YES DefaultTime=10 MaxTime=7-0
PartitionName=gpu Nodes=${NODES// /,} DefaultTime=10 MaxTime=7-0
PartitionName=members Nodes=${NODES// /,} DefaultTime=10 MaxTime=7-0 AllowAccounts=lab
CONF
  cat >"$DIR/bin/note" <<NOTE
#!/bin/sh
echo "\$SLURM_JOB_ID \$SLURM_STEP_ID \$SLURMD_NODENAME gpus=\$CUDA_VISIBLE_DEVICES" >>$DIR/log/tasks.txt
NOTE
  # Within a job, Snakemake drops SLURM_CONF before it calls srun, which would then look into /etc/slurm.
  printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$DIR/etc/slurm.conf" /usr/bin/srun >"$DIR/bin/srun"
  chmod +x "$DIR"/bin/*
  printf 'export SLURM_CONF=%s PATH=%s:$PATH\n' "$DIR/etc/slurm.conf" "$DIR/bin" >"$DIR/env.sh"
}

start() {
  [ ! -e "$DIR/etc" ] || die "$DIR is in use: stop it, or take another folder"
  write_config
  install -d -o munge -g munge -m 0755 "$DIR/munge"
  (umask 077; head -c 1024 /dev/urandom >"$DIR/munge/key")
  chown munge: "$DIR/munge/key"
  runuser -u munge -- /usr/sbin/munged --key-file="$DIR/munge/key" --socket="$DIR/munge/socket" \
    --pid-file="$DIR/munge/munged.pid" --log-file="$DIR/munge/munged.log" --seed-file="$DIR/munge/seed"
  wait_for 10 munge test -S "$DIR/munge/socket"
  slurmctld
  wait_for 10 slurmctld sh -c "scontrol ping | grep -q 'is UP'"
  for node in $NODES; do slurmd -N "$node"; done
  wait_for 30 "a job on all nodes" srun -N 2 --mem=50 --immediate=1 true
  say "ready: $(sinfo --version), $NODES with $CPUS CPUs and $GPUS GPUs each; in a shell:  . $DIR/env.sh"
}

end_daemon() {  # end_daemon PIDFILE NAME: only while that pid still is that program
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 0
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] || return 0
  kill "$pid"
  for _ in {1..100}; do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$pid"
}

stop() {
  if scontrol ping 2>/dev/null | grep -q "is UP"; then
    scancel --user=root
    for _ in {1..100}; do [ -n "$(squeue -h)" ] || break; sleep 0.1; done
  fi
  for node in $NODES; do end_daemon "$DIR/run/$node.pid" slurmd; done
  end_daemon "$DIR/run/slurmctld.pid" slurmctld
  end_daemon "$DIR/munge/munged.pid" munged
  say stopped
}

DIR=${2:-}
export SLURM_CONF=$DIR/etc/slurm.conf
case "${1:-}:${DIR:+folder}" in
  install:) install_packages ;;
  start:folder) start ;;
  stop:folder) stop ;;
  *) sed -n '2,10p' "$0"; exit 2 ;;
esac
