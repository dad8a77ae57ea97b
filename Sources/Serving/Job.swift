import Files
import Generation
import Models
import ServingLink

/// What the scheduler computes for a request: one prompt with its continuations, or the hidden state of a text.
struct Job: Sendable {
  enum Work: Sendable {
    /// A prompt and its continuations, with the pictures in it.
    case generate(ContinuousBatch.Request, [PictureReader.Tiles])
    case embed([Int], TextPooling.Mode)
    case probe(ProbeRequest)
  }

  /// What becomes of it, told on the scheduler's thread.
  enum Event {
    case batch(ContinuousBatch.Event)
    case embedded([Double])
    case probed(JSONValue)
    case failed(ErrorAnswer)
  }

  /// The index of the model among the served ones.
  let model: Int
  let work: Work
  /// Who waits for it.
  let answer: Answer
  let tell: @Sendable (Event) -> Void
}
