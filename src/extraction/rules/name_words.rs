//! The words of people's names: titles before them, suffixes behind them, particles between them, and names of scripts
//! without spaces.

use unicode_normalization::char::is_combining_mark;

use super::normalize::{fold, is_title};
use super::people_cues::PARTICLES;

/// What people put behind their names, and nothing else is called.
#[rustfmt::skip]
const SUFFIXES: &[&str] = &[
    "jr", "sr", "iii", "phd", "psyd", "edd", "dphil", "esq", "esquire", "msc", "bsc", "mph", "llm", "llb", "dds", "dmd", "dvm",
];
/// The same in capitals: in other letters they may be names.
#[rustfmt::skip]
const CAPITAL_SUFFIXES: &[&str] = &[
    "ii", "iv", "md", "do", "jd", "mba", "ma", "ba", "ms", "bs", "mpa", "msw", "lcsw", "rn", "np", "pa", "cpa", "cfa", "cfp",
    "pe", "pmp", "phr", "sphr", "cissp", "mfa", "frcs", "mbe", "obe", "cbe", "ret",
];
/// Titles that headers write with a full stop or a hyphen: without them some are names.
#[rustfmt::skip]
const POINTED_TITLES: &[&str] = &[
    "arch", "avv", "bc", "capt", "cdr", "col", "dipl", "doc", "dott", "dottssa", "dra", "drs", "eng", "fr", "gen", "hon", "ing",
    "ir", "judr", "lic", "lt", "mag", "maj", "mgr", "mudr", "phdr", "priv", "pd", "ra", "rae", "rndr", "sen", "sgt", "sig", "sr",
    "sra", "srta", "univ", "dkfm", "kfm", "inf", "kffr", "doz", "betriebsw", "volksw", "psych", "biol", "chem", "phys", "math",
    "pad", "soz", "wirt", "medic", "vet", "prof", "dr",
];
/// What the second word of a title is: "Dr. med.", "Dr. rer. nat.", "Dr. h. c.".
#[rustfmt::skip]
const FACULTIES: &[&str] = &[
    "med", "dent", "phil", "rer", "nat", "pol", "oec", "jur", "iur", "theol", "techn", "agr", "vet", "habil", "hc", "h", "c", "mult",
    "soc", "sc", "hum", "biol", "psych", "publ", "ing", "forest", "mont", "paed", "univ", "art", "utr", "em",
];
/// Behind a name in scripts of the east.
const HONORIFICS: &[&str] = &["様", "さん", "先生", "님", "女士", "小姐"];
/// Surnames that Chinese and Korean names begin with.
const EASTERN_SURNAMES: &str = "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎阎余潘杜戴夏钟鍾汪田任姜范方石姚谭譚廖邹鄒熊金陆陸郝孔白崔康毛邱秦江史顾顧侯邵孟龙龍万萬段雷钱錢汤湯尹黎易常武乔喬贺賀赖賴龚龔文김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함변염여추도석선설마길연위표명기반왕금옥육인맹제모장남궁";
const EASTERN_LONG_SURNAMES: &[&str] = &[
    "欧阳",
    "歐陽",
    "司马",
    "司馬",
    "上官",
    "诸葛",
    "諸葛",
    "司徒",
    "慕容",
    "东方",
    "東方",
    "夏侯",
    "皇甫",
    "尉迟",
    "公孙",
    "남궁",
    "황보",
    "제갈",
    "선우",
    "佐藤",
    "鈴木",
    "高橋",
    "田中",
    "伊藤",
    "渡辺",
    "渡邊",
    "山本",
    "中村",
    "小林",
    "加藤",
    "吉田",
    "山田",
    "佐々木",
    "山口",
    "松本",
    "井上",
    "木村",
    "斎藤",
    "斉藤",
    "清水",
    "山崎",
    "中島",
    "池田",
    "阿部",
    "橋本",
    "石川",
    "山下",
    "小川",
    "石井",
    "長谷川",
    "後藤",
    "岡田",
    "近藤",
    "前田",
    "藤田",
    "遠藤",
    "青木",
    "坂本",
    "村上",
    "太田",
    "金子",
    "藤井",
    "福田",
    "西村",
    "三浦",
    "竹内",
    "中川",
    "岡本",
    "松田",
    "原田",
    "中野",
    "小野",
    "田村",
    "藤原",
    "中山",
    "石田",
    "小島",
    "和田",
    "森田",
    "内田",
    "柴田",
    "酒井",
    "原",
    "林",
    "森",
];

/// "Dr. Sarah Chen PhD" is Sarah Chen.
pub(super) fn without_affixes<'n>(part: &'n str, whole: &str) -> &'n str {
    let in_small_letters = whole.contains(char::is_lowercase);
    let mut name = part.trim();
    let mut titled = false;
    while let Some((_, rest)) = name.split_once(' ').filter(|(word, _)| is_title_word(word, titled)) {
        name = rest.trim_start();
        titled = true;
    }
    while let Some((rest, _)) = name.rsplit_once(' ').filter(|(_, last)| is_suffix(last, in_small_letters)) {
        name = rest.trim_end();
    }
    if is_title_word(name, titled) || is_suffix(name, in_small_letters) { "" } else { name }
}

/// `titled`: a title stands before it.
fn is_title_word(word: &str, titled: bool) -> bool {
    let is_pointed =
        |part: &str| part.is_empty() || POINTED_TITLES.contains(&&*plain(part)) || is_title(&plain(part));
    let faculty = titled && word.ends_with('.') && !word.starts_with(char::is_uppercase);
    is_title(&plain(word))
        || word == "PD"
        || word.contains('.') && plain(word).chars().count() > 1 && word.split('-').all(is_pointed)
        || faculty && word.split('.').all(|part| part.is_empty() || FACULTIES.contains(&&*plain(part)))
}

/// "Jr.", "Ph.D."; "MD" and its like where other words are not in capitals.
pub(super) fn is_suffix(word: &str, in_small_letters: bool) -> bool {
    let plain = plain(word);
    let capitals = in_small_letters && !word.contains(char::is_lowercase);
    SUFFIXES.contains(&&*plain) || capitals && CAPITAL_SUFFIXES.contains(&&*plain)
}

fn plain(word: &str) -> String {
    fold(word).chars().filter(|c| !matches!(c, '.' | ',')).collect()
}

pub(super) fn is_particle(word: &str) -> bool {
    const SMALL: &[&str] = &[
        "d'", "’t", "'t", "e", "do", "zur", "zum", "vom", "op", "dalla", "dello", "degli", "delle", "abu",
        "ben", "bint", "i", "dela",
    ];
    PARTICLES.contains(&&*word.to_lowercase()) || SMALL.contains(&word)
}

pub(super) fn is_name_char(c: char) -> bool {
    c.is_alphabetic() || is_combining_mark(c) || is_apart(c) || matches!(c, '.' | '\u{200c}' | '\u{200d}')
}

/// What stands within a name between its parts.
pub(super) fn is_apart(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}' | '\'' | '’' | '‘' | 'ʼ' | 'ʻ' | '`' | '·' | '・')
}

/// "王小明": a surname and a given name in one word.
pub(super) fn is_unspaced_name(text: &str) -> bool {
    let name =
        HONORIFICS.iter().find_map(|honorific| text.strip_suffix(honorific)).unwrap_or(text).trim_end();
    let is_eastern = |c: char| matches!(c, '\u{3005}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{3ffff}');
    let given_length = |length: usize, surname: usize| (1..=3).contains(&length.saturating_sub(surname));
    let length = name.chars().count();
    let long = || {
        EASTERN_LONG_SURNAMES
            .iter()
            .any(|it| name.starts_with(it) && given_length(length, it.chars().count()))
    };
    let short = || (2..=3).contains(&length) && name.starts_with(|c| EASTERN_SURNAMES.contains(c));
    name.chars().all(is_eastern) && (short() || long()) && !super::organisations::is_organisation(name)
}
