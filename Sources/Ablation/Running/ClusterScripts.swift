import Files

/// What hands the tasks of a study to a cluster: each task is `chimera ablate run FOLDER --task K`, and the last step is
/// `chimera ablate merge FOLDER`.
public struct ClusterScripts: Sendable {
  /// How many tasks there are.
  public let taskCount: Int
  /// The study's name.
  public let name: String
  /// The study's folder, which every machine sees under this path.
  public let folder: String
  /// Threads that a task computes on.
  public let threads: Int
  /// Bytes that a task needs.
  public let memory: Int
  /// Seconds that the longest task is estimated to take; nil when nobody measured.
  public let seconds: Double?

  /// Scripts for the tasks of `plan` in `folder`.
  public init(_ plan: StudyPlan, tasks: [StudyTask]? = nil, folder: String, threads: Int, seconds: Double?) {
    taskCount = (tasks ?? plan.tasks).count
    name = ClusterScripts.label(plan.study.name)
    self.folder = folder
    self.threads = threads
    self.seconds = seconds
    memory = plan.arms.map(\.training.memory).max() ?? 0
  }

  /// A job array for Slurm: `sbatch` of this text runs every task, one a job, and needs nothing else.
  ///
  /// A minute before its time is over, or when it is preempted, a task is told by a signal, keeps what it has, and is put
  /// into the queue again.
  public var slurm: String {
    // Twice the estimate, and at least ten minutes, for other machines are slower.
    let minutes = max(10, Int(rounding: (seconds ?? 3600) * 2 / 60, .up))
    return """
      #!/bin/bash
      #SBATCH --job-name=\(name)
      #SBATCH --array=0-\(taskCount - 1)
      #SBATCH --cpus-per-task=\(threads)
      #SBATCH --mem=\(mebibytes)M
      #SBATCH --time=\(minutes)
      #SBATCH --requeue
      #SBATCH --signal=INT@60
      #SBATCH --output=\(name)-%a.log
      # When all are done: chimera ablate merge \(ClusterScripts.quoted(folder))
      srun chimera ablate run \(ClusterScripts.quoted(folder)) --task "$SLURM_ARRAY_TASK_ID" --threads \(threads)
      status=$?
      # 130: it was told to stop, and has kept what it did.
      if [ "$status" -eq 130 ]; then scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"; fi
      exit "$status"

      """
  }

  /// An indexed job for Kubernetes. The image and the volume that holds the folder are for the user to name.
  public var kubernetes: String {
    """
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: \(name)
    spec:
      completionMode: Indexed
      completions: \(taskCount)
      parallelism: \(min(taskCount, 16))
      backoffLimitPerIndex: 6
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: chimera
              image: IMAGE_WITH_CHIMERA
              command: [/bin/sh, -c]
              args: ['exec chimera ablate run \(ClusterScripts.quoted(folder).replacing("'", with: "''")) --task "$JOB_COMPLETION_INDEX" --threads \(threads)']
              resources:
                requests: {cpu: "\(threads)", memory: \(mebibytes)Mi}
                limits: {memory: \(mebibytes)Mi}
              volumeMounts:
                - {name: studies, mountPath: \(ClusterScripts.yaml(folder))}
          volumes:
            - name: studies
              persistentVolumeClaim: {claimName: CLAIM_WITH_THE_FOLDER}

    """
  }

  /// A quarter more than planned, for the program itself and the data.
  private var mebibytes: Int { memory / 4 * 5 / (1 << 20) + 256 }

  /// A name that jobs may have: lower-case letters, digits and dashes.
  private static func label(_ name: String) -> String {
    let letters = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    let trimmed = String(letters.prefix(50)).split(separator: "-").joined(separator: "-")
    return trimmed.isEmpty ? "study" : "study-" + trimmed
  }

  static func quoted(_ path: String) -> String { "'" + path.replacing("'", with: "'\\''") + "'" }

  static func yaml(_ path: String) -> String {
    "\"" + path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
