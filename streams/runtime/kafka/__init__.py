"""The pipeline behind Faust agents on Kafka: intake on as many workers as wanted, detection and delivery with one owner each."""
