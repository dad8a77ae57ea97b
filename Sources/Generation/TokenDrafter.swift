/// Someone who proposes how a text goes on, quicker than its model computes it.
///
/// Whatever is proposed, a text is distributed as without: the model of the text decides.
public protocol TokenDrafter: AnyObject {
  /// What one proposal costs, as a part of a pass of the text's model.
  var cost: Double { get }

  /// Up to `count` tokens that may follow the text of `rehearsal`, which are accepted there one after the other.
  ///
  /// A proposal that was drawn says from what. None may be left out for what was drawn: that would change how texts are distributed.
  func propose(_ count: Int, following rehearsal: inout Rehearsal) throws -> [TokenProposal]
}
