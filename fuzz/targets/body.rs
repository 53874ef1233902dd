#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ridge_fuzz::body::check(input));
