// libFuzzer brings the entry point; it calls LLVMFuzzerTestOneInput of the target FuzzParsers.
typedef int chimera_fuzz_driver;
