//! URLs of inputs: whatever is refused says why, and what is shown of the others has no secret in it.
#![no_main]

use address::InputUrl;
use address::input::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match InputUrl::parse(text) {
        Err(wrong) => assert!(!wrong.wrong.is_empty() && !wrong.right.is_empty()),
        Ok(url) => {
            assert_eq!(url.expose(), text);
            let shown = InputUrl::parse(&url.hidden());
            if let (Source::Srt(whole), Ok(shown)) = (url.source(), shown)
                && let Source::Srt(shown) = shown.source()
            {
                assert_eq!(whole.host, shown.host);
                for secret in [&shown.passphrase, &shown.stream_id].into_iter().flatten() {
                    assert_eq!(secret, "hidden");
                }
            }
        }
    }
});
