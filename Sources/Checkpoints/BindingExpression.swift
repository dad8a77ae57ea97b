import Components
import Files

/// How one value of a spec follows from a configuration.
///
/// ```yaml
/// vocab_size                                     # the value at a path; `limits.0` is the first item of a list
/// {from: [rope_parameters.rope_theta, rope_theta], default: 10000}     # the first that is there
/// {from: hidden_act, map: {gelu_new: gelu_tanh, silu: silu}}   # item by item where the value is a list
/// {from: sliding_window, off: [null], default: 4096}           # null: the spec has no such key, whatever the family has
/// {from: sliding_window, when: {use_sliding_window: true}}     # only under a condition; [true, absent] for several
/// {value: 1, when: {multi_query: true}}          # a constant
/// {from: layer_thetas, map: {0: none, _: absent}}    # '_' is any other word; absent says nothing of it
/// {first: [expression, …]}                       # the first that gives a value
/// {list: [expression, …]}                        # the values that there are
/// {product: [d_model, expansion_ratio]}          # also ratio, difference, power; numbers stand for themselves
/// {from: layer, text: 'layer-{}'}                # the value within a text
/// {runs: {dense: first_k_dense_replace, sparse: {difference: [num_hidden_layers, first_k_dense_replace]}}}
///                                                # a pattern of layers; runs of none are left out
/// {listed: moe_layers, in: sparse, out: dense, layers: num_hidden_layers}       # by the numbers of layers in a list;
///                                         # 'offset' is the first layer's number, where that is not 0
/// {stored: {mamba: blk.*.ssm_a, full: blk.*.attn_q.weight}, out: mlp, layers: block_count}     # by the first tensor that a
///                                         # layer has; without 'out' each has one
/// {numbered: per_layer_config, item: head_dim, layers: num_hidden_layers}       # of a group by the numbers of layers: each layer's item
/// {places: layer_types, in: hybrid}              # the numbers of the layers that a list says are so
/// {period: attn_layer_period, offset: attn_layer_offset, in: full, out: mamba}      # one layer in so many, from the offset on
/// {join: [expression, …], layers: num_hidden_layers}    # patterns laid side by side: [dense+local, sparse+local]
/// {unroll: attention_types}                      # [[[global, local], 12]] as the list of all layers
/// {letters: hybrid_override_pattern, map: {M: mamba, "*": full, "-": mlp}}      # a text, letter by letter
/// {count: tokenizer.ggml.tokens}                 # how many items a list has, or letters a text
/// {tensor: lm_head.weight}                       # whether a tensor is stored; with `axis: 0`, how long that axis is
/// {same: moe_topk}                               # a value, or the one that all items of a list are
/// {numbers: rope_freqs.weight}                   # what a stored tensor holds
/// {like: mlp.activation}                         # as another value of the same section, with what else is said here
/// ```
///
/// An explicit null is not an absent key: with a `default` or a `map` it is refused, unless `off` or the map has it.
/// Where a path of the spec begins with `layers.*.`, the value is a list with an item for each layer, of which null says
/// nothing; `off` takes items of such a list too.
/// Conditions know the words `absent` and `present`, and `null`; `rope_type or type` is one condition of two spellings,
/// and a stored tensor's name is present where it is stored.
indirect enum BindingExpression: Sendable {
  case path([String])
  case constant(JSONValue)
  case first([BindingExpression])
  case list([BindingExpression])
  case arithmetic(Arithmetic, [BindingExpression])
  case count(String)
  case tensor(String, axis: Int?)
  case numbers(String)
  case runs([(name: String, count: BindingExpression)])
  case join([BindingExpression], layers: BindingExpression)
  case unroll(String)
  case letters(String)
  case same([String])
  case period(BindingExpression, offset: BindingExpression, inside: String, outside: String)
  case listed(String, first: Int, inside: String, outside: String, layers: BindingExpression)
  /// What each layer is by the first tensor that it has, in whose name '*' is its number.
  case stored([(kind: String, tensor: String)], outside: String?, layers: BindingExpression)
  /// Of a group whose keys are the numbers of layers, what each has under `item`.
  case numbered(String, item: String, layers: BindingExpression)
  /// The numbers of the items of a list that are `inside`.
  case places(String, inside: String)
  /// The same of each of several groups, of which the first that has any keys counts alone.
  case grouped([String], [BindingExpression])
  case modified(BindingExpression, Modifiers)

  enum Arithmetic: String, CaseIterable, Sendable {
    case product, ratio, difference, power
  }

  struct Modifiers: Sendable {
    /// The values by the word that the configuration has.
    var map: [(word: String, value: JSONValue)]?
    var text: String?
    var fallback: JSONValue?
    /// The values that mean that the spec has no such key.
    var off: [JSONValue] = []
    /// The path that is written of several that are read.
    var written: String?
    /// For each condition, spellings of one path, and the values of which one must be there.
    var conditions: [Condition] = []
  }

  struct Condition: Sendable {
    var paths: [String]
    var values: [JSONValue]

    init(paths: [String], values: [JSONValue]) {
      self.paths = paths
      self.values = values
    }

    /// `rope_type or type`: one thing in two spellings.
    init(_ key: String, values: [JSONValue]) {
      self.init(
        paths: key.split(separator: " ").filter { $0 != "or" }.map(String.init), values: values)
    }
  }
}
