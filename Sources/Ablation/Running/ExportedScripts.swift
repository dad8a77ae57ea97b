import Files

/// What has the exported tasks of a study trained: each is `torchrun FOLDER/tasks/KEY/exported/train.py`, which needs torch
/// and nothing of this program; what it leaves there, `chimera ablate merge FOLDER` takes.
public struct ExportedScripts: Sendable {
  /// The keys of the tasks.
  public let keys: [String]
  /// The study's folder, which every machine sees under this path.
  public let folder: String
  /// Processes of a task, each with a GPU of its own where there are any.
  public let processes: Int
  private let cluster: ClusterScripts

  /// Scripts for `tasks` of `plan` in `folder`, each by `processes`, a process computing on `threads` where it has no GPU.
  public init(_ plan: StudyPlan, tasks: [StudyTask], folder: String, processes: Int, threads: Int) {
    keys = tasks.map(\.key)
    self.folder = folder
    self.processes = processes
    cluster = ClusterScripts(plan, tasks: tasks, folder: folder, threads: threads, seconds: nil)
  }

  /// A script for one machine: every task that has no outcome, one after the other. What it is given goes to train.py.
  public var shell: String {
    """
    #!/bin/sh
    # Trains the tasks one after the other; what was stopped goes on. Options go to each train.py: --compile, --device cpu.
    # When all are done: chimera ablate merge \(ClusterScripts.quoted(folder))
    status=0
    \(requirement)
    cd \(ClusterScripts.quoted(folder))/tasks || exit 1
    for task in \(keys.joined(separator: " ")); do
      if [ -e "$task/outcome.json" ]; then continue; fi
      \(torchrun) "$task/exported/train.py" "$@" || status=1
    done
    exit "$status"

    """
  }

  /// A job array for Slurm, a task a job. A job that was preempted is put into the queue again, and its task goes on.
  public var slurm: String {
    """
    #!/bin/bash
    #SBATCH --job-name=\(cluster.name)
    #SBATCH --array=0-\(keys.count - 1)
    #SBATCH --ntasks=1
    #SBATCH --gpus-per-task=\(processes)
    #SBATCH --cpus-per-task=\(cluster.threads)
    #SBATCH --mem=\(mebibytes)M
    #SBATCH --requeue
    #SBATCH --output=\(cluster.name)-%a.log
    # How long a task takes depends on the GPU: add #SBATCH --time as your cluster wants it.
    # When all are done: chimera ablate merge \(ClusterScripts.quoted(folder))
    tasks=(\(keys.joined(separator: " ")))
    \(requirement)
    cd \(ClusterScripts.quoted(folder))/tasks || exit 1
    srun \(torchrun) "${tasks[$SLURM_ARRAY_TASK_ID]}/exported/train.py" "$@"

    """
  }

  /// An indexed job for Kubernetes. The image, with torch, and the volume that holds the folder are for the user to name.
  public var kubernetes: String {
    """
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: \(cluster.name)
    spec:
      completionMode: Indexed
      completions: \(keys.count)
      parallelism: \(min(keys.count, 16))
      backoffLimitPerIndex: 6
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: train
              image: IMAGE_WITH_TORCH
              command: [/bin/sh, -c]
              args:
                - >-
                  cd \(ClusterScripts.quoted(folder))/tasks || exit 1;
                  set -- \(keys.joined(separator: " "));
                  shift "$JOB_COMPLETION_INDEX";
                  exec \(torchrun) "$1/exported/train.py"
              resources:
                requests: {cpu: "\(cluster.threads)", memory: \(mebibytes)Mi}
                limits: {memory: \(mebibytes)Mi, nvidia.com/gpu: \(processes)}
              volumeMounts:
                - {name: studies, mountPath: \(ClusterScripts.yaml(folder))}
          volumes:
            - name: studies
              persistentVolumeClaim: {claimName: CLAIM_WITH_THE_FOLDER}

    """
  }

  /// Ends a script where the Python has no torch.
  private var requirement: String {
    """
    if ! "${PYTHON:-python3}" -c 'import torch' 2> /dev/null; then
      echo "error: ${PYTHON:-python3} has no torch; PYTHON=PATH names one that has" >&2
      exit 1
    fi
    """
  }

  private var torchrun: String {
    "\"${PYTHON:-python3}\" -m torch.distributed.run --standalone --nproc-per-node \(processes)"
  }

  /// What a run here takes for each process, a quarter more, and torch itself.
  private var mebibytes: Int { processes * (cluster.memory / 4 * 5 / (1 << 20) + 4096) }
}
