"""What a training recipe says, as typed YAML."""
