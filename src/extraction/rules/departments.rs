//! Mailboxes that belong to a machine, a department or a list: they are nobody's.

use super::people_cues::is_surname;
use super::tables::first_name;

/// Words that say it wherever they stand in the local part.
#[rustfmt::skip]
const MACHINES: &[&str] = &[
    "alert", "alerts", "autoconfirm", "automailer", "automated", "autoreply", "bounce", "bounces", "daemon", "donotreply", "mailer",
    "mailerdaemon", "mailman", "majordomo", "listserv", "listmaster", "newsletter", "newsletters", "noreply", "notification",
    "notifications", "notifier", "notify", "postmaster", "hostmaster", "webmaster", "unsubscribe", "undisclosed", "nobody",
];
/// Words that say it at the beginning or the end of the local part, where no given name is beside them.
#[rustfmt::skip]
const DEPARTMENTS: &[&str] = &[
    "abuse", "account", "accounting", "accounts", "admin", "administration", "administrator", "admins", "admissions",
    "advertising", "all", "announce", "announcements", "billing", "board", "booking", "bookings", "bot", "calendar", "care",
    "career", "careers", "ceo-office", "communications", "community", "compliance", "confirm", "confirmation",
    "confirmations", "contact", "contactus", "customercare", "customerservice", "customersupport", "delivery", "desk",
    "dev", "devs", "digest", "dispatch", "donations", "editor", "editorial", "email", "engineering", "enquiries", "enquiry",
    "events", "everyone", "facilities", "feedback", "finance", "frontdesk", "fulfillment", "general", "group", "groups", "hello",
    "help", "helpdesk", "hr", "info", "information", "inquiries", "inquiry", "investors", "invoice", "invoices", "invoicing",
    "it", "job", "jobs", "kontakt", "legal", "list", "lists", "login", "logistics", "mail", "mailbox", "mailing", "marketing",
    "media", "member", "members", "membership", "message", "messages", "news", "noc", "office", "offers", "ops", "operations",
    "order", "orders", "owner", "partners", "partnerships", "payment", "payments", "payroll", "people", "ping", "podcast", "press",
    "privacy", "procurement", "promo", "promotions", "purchasing", "receipt", "receipts", "reception", "recruiting",
    "recruitment", "registrar", "registration", "reminder", "reminders", "renewals", "reply", "report", "reports", "request",
    "requests", "reservation", "reservations", "returns", "robot", "root", "sales", "security", "server", "service",
    "services", "shipping", "shipment", "shop", "signup", "staff", "statements", "status", "store", "studio", "subscribe",
    "subscription", "subscriptions", "support", "survey", "surveys", "sysadmin", "system", "team", "tech", "ticket",
    "tickets", "tracking", "training", "travel", "update", "updates", "user", "users", "verification", "verify", "volunteer",
    "volunteers", "warehouse", "web", "welcome",
];
/// Hosts of nothing but mailing lists.
const LIST_HOSTS: &[&str] = &["googlegroups.com", "groups.io", "yahoogroups.com", "freelists.org"];

/// They say nothing about who was involved.
pub(super) fn is_machine(address: &str) -> bool {
    let (local, host) = address.rsplit_once('@').unwrap_or((address, ""));
    let (local, host) = (local.to_lowercase(), host.to_ascii_lowercase());
    let plain: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
    ["noreply", "donotreply", "mailerdaemon"].iter().any(|word| plain.contains(word))
        || is_list(&host)
        || is_named_after(&plain, &host)
        || is_departments(&local)
}

/// Whether it is a word for a department or a machine, and not a name's.
pub(super) fn is_departments_word(word: &str) -> bool {
    MACHINES.contains(&word) || DEPARTMENTS.contains(&word)
}

fn is_departments(local: &str) -> bool {
    let words: Vec<&str> =
        local.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let personal = || words.iter().any(|word| first_name(word).is_some());
    let ends = [words.first(), words.last()].into_iter().flatten().any(|word| DEPARTMENTS.contains(word));
    words.iter().any(|word| MACHINES.contains(word)) || ends && !personal()
}

fn is_list(host: &str) -> bool {
    host.starts_with("lists.")
        || host.starts_with("list.")
        || LIST_HOSTS
            .iter()
            .any(|list| host.strip_suffix(list).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// `acme@acme.com` is the company, unless it is called like a person.
fn is_named_after(plain: &str, host: &str) -> bool {
    host.rsplit('.').nth(1).is_some_and(|domain| domain == plain)
        && first_name(plain).is_none()
        && !is_surname(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_departments_and_lists_are_nobody() {
        for nobody in [
            "noreply@acme.com",
            "no-reply@acme.com",
            "do_not_reply@acme.com",
            "acme-noreply+17@acme.com",
            "notifications@github.com",
            "orders@shop.example",
            "billing@acme.com",
            "auto-confirm@shop.example",
            "MAILER-DAEMON@mx.example",
            "support+id1234@acme.zendesk.example",
            "us-orders@acme.com",
            "info@acme.com",
            "dev@lists.example.org",
            "climbers@googlegroups.com",
            "bounces+123-ann=x.org@send.example",
            "uber@uber.com",
            "service-desk@acme.com",
            "security.alerts@bank.example",
            "newsletter@mail.acme.com",
            "hr@acme.com",
            "team@acme.com",
            "sales.emea@acme.com",
        ] {
            assert!(is_machine(nobody), "{nobody}");
        }
    }

    #[test]
    fn people_are_somebody() {
        for person in [
            "bob.smith@acme.com",
            "bsmith@acme.com",
            "anna@anna.example",
            "bob@billing.example",
            "support.bob@acme.com",
            "jörg@x.de",
            "carla.sales@acme.com",
            "schen@acme.com",
            "teamsters@x.org",
            "infante@x.org",
        ] {
            assert!(!is_machine(person), "{person}");
        }
    }
}
