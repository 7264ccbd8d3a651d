//! Words that say that a name beside an address is an organisation's, a product's or a place's.

use super::companies::is_legal_suffix;
use super::departments::is_departments_word;
use super::tables::{Certainty, company, place, tool};

/// Besides those that no name of a person has in English (`not_names.txt`), which a text is read by as well.
#[rustfmt::skip]
const ORGANISATIONS: &[&str] = &[
    "actions", "agency", "alerts", "alliance", "amt", "association", "banca", "banco", "bahn", "bank", "banque", "behorde", "billing",
    "boutique", "bundesamt", "buro", "casa", "centre", "centro", "club", "community", "customer", "delivery", "deutsche", "die",
    "editorial", "express", "fachschule", "firma", "fondation", "foundation", "gemeinde", "gymnasium", "hochschule",
    "hotel", "insider", "institut", "instituto", "kanzlei", "kreis", "kundendienst", "kundenservice", "landratsamt",
    "magasin", "mairie", "marketplace", "ministerium", "ministerio", "museum", "musee", "notifications", "online", "praxis",
    "program", "radio", "railways", "redaktion", "rewards", "schule", "sekretariat", "service", "shop", "societe", "sparkasse", "stadt",
    "stadtwerke", "stiftung", "tienda", "times", "tours", "travel", "universidad", "universita", "universitat", "universite",
    "verein", "verlag", "versand", "versicherung", "volksbank", "werkstatt", "zeitung", "zentrum",
    "администрация", "банк", "служба", "поддержки", "поддержка", "команда", "компания", "магазин", "новости", "онлайн",
    "университет", "центр", "школа", "ооо", "оао", "зао", "тов",
];
/// Parts of words in scripts that put no spaces between them, or compound them.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "公司", "中心", "银行", "銀行", "大学", "大學", "客服", "服务", "服務", "通知", "团队", "團隊", "支付", "株式", "会社", "事務", "サポート", "カード",
    "センター", "サービス", "ショップ", "회사", "은행", "고객", "센터", "서비스", "학교", "شركة", "بنك", "جامعة", "בנק", "בעמ", "университет",
    "сбербанк",
];

/// `word` is folded.
pub(super) fn is_organisation(word: &str) -> bool {
    ORGANISATIONS.contains(&word)
        || PARTS.iter().any(|part| word.contains(part))
        || is_legal_suffix(word.trim_end_matches('.'))
        || is_departments_word(word)
        || company(word).is_some()
        || tool(word).is_some()
        || place(word) == Some(Certainty::Plain)
}
