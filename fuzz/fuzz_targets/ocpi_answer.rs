//! What a partner answers: the first line says to which question, the rest is the body; also credentials and versions.
#![no_main]

use charge::talk::road::{PageWish, Question, Wanted};
use libfuzzer_sys::fuzz_target;
use ocpi::answer::{Answered, read};
use ocpi::ask::Asked;
use ocpi::credentials::Credentials;
use ocpi::cross::Beside;
use ocpi::wire::Reply;
use ocpi::{Version, versions};

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(body) else { return };
    let version = Version::ALL[usize::from(choice % 3)];
    let wish = PageWish::default();
    let questions = [
        Question::Locations(wish),
        Question::Tariffs(wish),
        Question::Fetch(Wanted::Sessions(wish)),
        Question::Fetch(Wanted::Cdrs(wish)),
        Question::Fetch(Wanted::Tokens(wish)),
    ];
    for question in &questions {
        let reply = Reply { http: 200, headers: Vec::new(), body: text.to_owned() };
        let answered = Answered { version, beside: Beside::default() };
        let _answer = read(&Asked::of(question), &reply, answered);
    }
    let _answer = versions::read_versions(200, body);
    let _answer = versions::read_details(version, 200, body);
    let _answer = Credentials::read_reply(200, body);
    let _answer = ocpi::client::read(body);
});
