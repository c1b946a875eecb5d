//! Languages of tracks: BCP 47 tags, and the three letters of ISO 639-2 that MP4 and MPEG-TS have for them.

use std::fmt;
use std::sync::Arc;

/// Most letters of a tag.
const MOST: usize = 35;

/// A well-formed BCP 47 tag (RFC 5646 §2.1) in its usual letters: `en`, `pt-BR`, `zh-Hant`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Language(Arc<str>);

impl Language {
    /// Reads a tag of BCP 47, or the three letters of ISO 639-2 for it, as they come: `eng`, `ger` and `deu`.
    ///
    /// `None` for what is no tag, and for `und`, which says nothing.
    pub fn new(tag: &str) -> Option<Language> {
        if tag.len() > MOST || !tag.is_ascii() {
            return None;
        }
        let mut subtags = tag.split(['-', '_']);
        let primary = subtags.next()?.to_ascii_lowercase();
        if !(2..=8).contains(&primary.len()) || !primary.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        let mut name = shortest(&primary).to_owned();
        if matches!(name.as_str(), "und" | "mis" | "zxx") {
            return None;
        }
        for subtag in subtags {
            if !(1..=8).contains(&subtag.len()) || !subtag.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return None;
            }
            name.push('-');
            name.push_str(&usual(subtag));
        }
        Some(Language(name.into()))
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Three letters of ISO 639-2/T, which lose everything behind the language itself; `und` where there are none.
    pub fn iso639_2(&self) -> &str {
        let primary = self.0.split('-').next().unwrap_or_default();
        match primary.len() {
            3 => primary,
            2 => pairs().find(|(two, _)| *two == primary).map_or("und", |(_, three)| three),
            _ => "und",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A script begins with a capital, a region is all capitals (RFC 5646 §2.1.1).
fn usual(subtag: &str) -> String {
    match subtag.len() {
        2 => subtag.to_ascii_uppercase(),
        4 if subtag.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            subtag[..1].to_ascii_uppercase() + &subtag[1..].to_ascii_lowercase()
        }
        _ => subtag.to_ascii_lowercase(),
    }
}

/// Two letters where a language has them (RFC 5646 §2.2.1).
fn shortest(primary: &str) -> &str {
    let terminology = BIBLIOGRAPHIC.iter().find(|(b, _)| *b == primary).map_or(primary, |(_, t)| t);
    pairs().find(|(_, three)| *three == terminology).map_or(terminology, |(two, _)| two)
}

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAIRS.split_ascii_whitespace().map(|pair| pair.split_at(2))
}

/// Codes of ISO 639-2/B that differ from those of ISO 639-2/T.
const BIBLIOGRAPHIC: [(&str, &str); 20] = [
    ("alb", "sqi"),
    ("arm", "hye"),
    ("baq", "eus"),
    ("bur", "mya"),
    ("chi", "zho"),
    ("cze", "ces"),
    ("dut", "nld"),
    ("fre", "fra"),
    ("geo", "kat"),
    ("ger", "deu"),
    ("gre", "ell"),
    ("ice", "isl"),
    ("mac", "mkd"),
    ("mao", "mri"),
    ("may", "msa"),
    ("per", "fas"),
    ("rum", "ron"),
    ("slo", "slk"),
    ("tib", "bod"),
    ("wel", "cym"),
];

/// ISO 639-1 and ISO 639-2/T.
const PAIRS: &str = "aaaar ababk aeave afafr akaka amamh anarg arara asasm avava ayaym azaze babak bebel bgbul bhbih \
    bibis bmbam bnben bobod brbre bsbos cacat ceche chcha cocos crcre csces cuchu cvchv cycym dadan dedeu dvdiv dzdzo \
    eeewe elell eneng eoepo esspa etest eueus fafas ffful fifin fjfij fofao frfra fyfry gagle gdgla glglg gngrn guguj \
    gvglv hahau heheb hihin hohmo hrhrv hthat huhun hyhye hzher iaina idind ieile igibo iiiii ikipk ioido isisl itita \
    iuiku jajpn jvjav kakat kgkon kikik kjkua kkkaz klkal kmkhm knkan kokor krkau kskas kukur kvkom kwcor kykir lalat \
    lbltz lglug lilim lnlin lolao ltlit lulub lvlav mgmlg mhmah mimri mkmkd mlmal mnmon mrmar msmsa mtmlt mymya nanau \
    nbnob ndnde nenep ngndo nlnld nnnno nonor nrnbl nvnav nynya ococi ojoji omorm orori ososs papan pipli plpol pspus \
    ptpor quque rmroh rnrun roron rurus rwkin sasan scsrd sdsnd sesme sgsag sisin skslk slslv smsmo snsna sosom sqsqi \
    srsrp ssssw stsot susun svswe swswa tatam tetel tgtgk ththa titir tktuk tltgl tntsn toton trtur tstso tttat twtwi \
    tytah uguig ukukr ururd uzuzb veven vivie vovol wawln wowol xhxho yiyid yoyor zazha zhzho zuzul";

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(of: &str) -> Option<String> {
        Language::new(of).map(|language| language.to_string())
    }

    #[test]
    fn the_shortest_code_is_taken_and_letters_are_the_usual_ones() {
        for (sent, expected) in [
            ("eng", "en"),
            ("ger", "de"),
            ("deu", "de"),
            ("PT-br", "pt-BR"),
            ("zh_hant", "zh-Hant"),
            ("nds", "nds"),
        ] {
            assert_eq!(tag(sent).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_says_nothing_is_no_language() {
        for sent in ["und", "", "e", "en-", "e\u{301}n", "12", "en-\"x", "qaa-123456789", "zxx"] {
            assert_eq!(tag(sent), None, "{sent}");
        }
        assert_eq!(tag(&"a-".repeat(40)), None);
    }

    #[test]
    fn three_letters_come_back() {
        let three = |tag| Language::new(tag).expect("a tag").iso639_2().to_owned();
        assert_eq!([three("de-AT"), three("fre"), three("nds"), three("zz")], ["deu", "fra", "nds", "und"]);
        for (two, three) in pairs() {
            assert_eq!(Language::new(three).expect("a tag").as_str(), two);
            assert_eq!(Language::new(two).expect("a tag").iso639_2(), three);
        }
    }
}
