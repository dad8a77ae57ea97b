extension TransformersText {
  /// What `generate` is told of a cache with states, and of a text that outgrows lengths at which angles change.
  var generation: [String] {
    var lines: [String] = []
    if layers.keepsStates {
      lines += ["", "    def _prepare_cache_for_generation(self, generation_config, model_kwargs, *args, **kwargs):"]
      lines += ClassText.statements([
        "if generation_config.use_cache and model_kwargs.get(\"past_key_values\") is None:\n    model_kwargs[\"past_key_values\"] = self.model.new_cache()",
        "super()._prepare_cache_for_generation(generation_config, model_kwargs, *args, **kwargs)",
      ])
    }
    if !plan.recomputationLengths.isEmpty {
      let borders = plan.recomputationLengths.map { "\($0)," }.joined(separator: " ")
      lines += ["", "    def prepare_inputs_for_generation(self, input_ids, past_key_values=None, **kwargs):"]
      lines += ClassText.statements([
        """
        # A text that outgrows these lengths is computed again from its beginning.
        if past_key_values is not None and past_key_values.get_seq_length() > 0:
            positions = kwargs.get("position_ids")
            length = input_ids.size(1)
            padding = 0 if positions is None else length - 1 - int(positions.max())
            past = past_key_values.get_seq_length() - padding
            if any(past <= border < length - padding for border in (\(borders))):
                past_key_values = None
                kwargs["next_sequence_length"] = None
        return super().prepare_inputs_for_generation(
            input_ids, past_key_values=past_key_values, **kwargs
        )
        """
      ])
    }
    return lines
  }
}
