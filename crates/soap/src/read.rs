//! Bytes of a stranger into a tree, within bounds.
//!
//! The parser splits; every judgement is made here, before anything is kept: sizes before parsing, depth and counts
//! while it runs. Deliberately narrower than XML 1.0: no document type, hence no entities but the five of the
//! standard; no processing instructions; UTF-8 only. Invariant: a message costs at most a small multiple of its bytes,
//! whatever it says.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceResolver, ResolveResult};
use quick_xml::reader::NsReader;

use crate::Limits;
use crate::element::{Element, Name};

/// Why bytes are not read: always the sender's fault. Never quotes the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("the message is longer than is read here")]
    TooLong,
    #[error("the message is nested deeper than is read here")]
    TooDeep,
    #[error("the message has more elements than are read here")]
    TooManyElements,
    #[error("an element has more attributes than are read here")]
    TooManyAttributes,
    #[error("a name space is longer than is read here")]
    SpaceTooLong,
    #[error("the message is not UTF-8")]
    Encoding,
    #[error("a document type is not accepted")]
    DocumentType,
    #[error("a processing instruction is not accepted")]
    Instruction,
    #[error("an entity other than the five of XML is not accepted")]
    Entity,
    #[error("a prefix has no name space")]
    Prefix,
    #[error("a character that XML does not allow")]
    Character,
    #[error("not well-formed XML")]
    Syntax,
}

/// The name space of declarations.
const DECLARATIONS: &str = "http://www.w3.org/2000/xmlns/";

/// Reads one XML document.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Element, Broken> {
    if bytes.len() > limits.bytes_max {
        return Err(Broken::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Broken::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !all_allowed(text) {
        return Err(Broken::Character);
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_comments = true;
    reader.resolver_mut().set_max_namespace_bindings(limits.attributes_max);
    let mut tree = Tree { limits, open: Vec::new(), root: None, elements: 0 };
    let mut first = true;
    loop {
        let event = reader.read_event().map_err(|error| syntax(&error))?;
        match event {
            Event::Start(start) => {
                let element = element(&start, reader.resolver(), limits)?;
                tree.begin(element)?;
            }
            Event::Empty(start) => {
                let element = element(&start, reader.resolver(), limits)?;
                tree.begin(element)?;
                tree.end()?;
            }
            Event::End(_) => tree.end()?,
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.cdata(&text.xml10_content())?,
            Event::GeneralRef(entity) => tree.character(reference(&entity)?)?,
            Event::Comment(_) => {}
            Event::Decl(declaration) if first => judge(&declaration)?,
            Event::Decl(_) => return Err(Broken::Syntax),
            Event::PI(_) => return Err(Broken::Instruction),
            Event::DocType(_) => return Err(Broken::DocumentType),
            Event::Eof => return tree.finish(),
        }
        first = false;
    }
}

/// The tree as far as it has grown.
struct Tree<'l> {
    limits: &'l Limits,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree<'_> {
    fn begin(&mut self, element: Element) -> Result<(), Broken> {
        self.elements += 1;
        if self.elements > self.limits.elements_max {
            return Err(Broken::TooManyElements);
        }
        if self.open.len() >= self.limits.depth_max {
            return Err(Broken::TooDeep);
        }
        if self.root.is_some() {
            return Err(Broken::Syntax);
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Broken> {
        let mut element = self.open.pop().ok_or(Broken::Syntax)?;
        if !element.children.is_empty() {
            element.text = String::new();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Broken> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(Broken::Syntax),
        }
        Ok(())
    }

    fn cdata(&mut self, text: &str) -> Result<(), Broken> {
        self.open.last_mut().ok_or(Broken::Syntax)?.text.push_str(text);
        Ok(())
    }

    fn character(&mut self, c: char) -> Result<(), Broken> {
        self.open.last_mut().ok_or(Broken::Syntax)?.text.push(c);
        Ok(())
    }

    fn finish(self) -> Result<Element, Broken> {
        if self.open.is_empty() { self.root.ok_or(Broken::Syntax) } else { Err(Broken::Syntax) }
    }
}

fn element(start: &BytesStart<'_>, resolver: &NamespaceResolver, limits: &Limits) -> Result<Element, Broken> {
    let (space, local) = resolver.resolve_element(start.name());
    let name = name(space, local.into_inner(), limits)?;
    let mut attributes = Vec::new();
    for (place, attribute) in start.attributes().enumerate() {
        if place >= limits.attributes_max {
            return Err(Broken::TooManyAttributes);
        }
        let attribute = attribute.map_err(|_| Broken::Syntax)?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let (space, local) = resolver.resolve_attribute(attribute.key);
        let name = self::name(space, local.into_inner(), limits)?;
        if attribute.value.contains('<') {
            return Err(Broken::Syntax);
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Broken::Entity)?;
        if !all_allowed(&value) {
            return Err(Broken::Character);
        }
        attributes.push((name, value.into_owned()));
    }
    Ok(Element { name, attributes, text: String::new(), children: Vec::new() })
}

fn name(space: ResolveResult<'_>, local: &str, limits: &Limits) -> Result<Name, Broken> {
    let space = match space {
        ResolveResult::Bound(space) => space.into_inner(),
        ResolveResult::Unbound => "",
        ResolveResult::Unknown(_) => return Err(Broken::Prefix),
    };
    // every name keeps its space: one long declaration would be copied for each element
    if space.len() > limits.space_bytes_max {
        return Err(Broken::SpaceTooLong);
    }
    let mut characters = local.chars();
    let begins = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    let sound = begins && characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    // an entity in a name space is written to hide, and the others need one to be written again; no URI has them
    if !sound || space.contains(['&', '<', '>', '"', '\t', '\n', '\r']) {
        return Err(Broken::Syntax);
    }
    // `xmlns` declares and names nothing: no other prefix may stand for it (Namespaces in XML 1.0, 3)
    if space == DECLARATIONS {
        return Err(Broken::Prefix);
    }
    Ok(Name::new(space, local))
}

fn reference(entity: &BytesRef<'_>) -> Result<char, Broken> {
    let c = match &**entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => entity.resolve_char_ref().map_err(|_| Broken::Entity)?.ok_or(Broken::Entity)?,
    };
    if allowed(c) { Ok(c) } else { Err(Broken::Character) }
}

/// `version="1.0"` and, where it is named, UTF-8.
fn judge(declaration: &BytesDecl<'_>) -> Result<(), Broken> {
    if declaration.version().map_err(|_| Broken::Syntax)? != "1.0" {
        return Err(Broken::Syntax);
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(Ok(_)) => Err(Broken::Encoding),
        Some(Err(_)) => Err(Broken::Syntax),
    }
}

/// XML 1.0, production 2.
pub(crate) const fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// The bytes tell nearly always; only what begins with `0xef` has to be looked at.
fn all_allowed(text: &str) -> bool {
    let sound = |byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=0xee | 0xf0..);
    text.bytes().all(sound) || text.chars().all(allowed)
}

fn syntax(error: &quick_xml::Error) -> Broken {
    match error {
        quick_xml::Error::Namespace(quick_xml::name::NamespaceError::TooManyBindings(_)) => Broken::TooManyAttributes,
        _ => Broken::Syntax,
    }
}
