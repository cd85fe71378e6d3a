"""What the issuer refuses, as a tree of reasons. Web statuses are given at the edges.

    IssuerError
    ├── DatabaseOutOfDate, NotUnsealable
    ├── NotAuthenticated, NotPermitted
    ├── CardNotFound, StudentNotFound, InstitutionNotFound, DeliveryNotFound, ErasureNotFound
    ├── RunNotFound, RunUnderWay, RepairNotAllowed
    ├── DeviceNotFound, TooManyDevices, NoWalletAddress
    ├── CardStateConflict, DuplicateStudent, ReasonRequired, UnknownPrefix, ForeignScope
    ├── DeliveryStateConflict
    ├── StudentErased, RegisteredWithoutConsent
    ├── UnusableKey, UnusableSecret, NoActiveKey, KeyStateConflict
    ├── CredentialNotPossible, CredentialRefused, UnknownDeviceKey
    ├── PhotoNotFound, PhotoStateConflict, PhotosNotTaken, TooManyPhotos
    ├── MalformedColour, LowContrast
    ├── UnusableArchive
    ├── UnusablePicture
    │   ├── PictureTooLarge, TooManyPixels, PictureTooSmall
    │   └── NotAPicture, ForeignPicture, MovingPicture, PictureDamaged, MalformedCrop
    └── UnusableFile, of students: its reasons are in `issuer.importing.errors`

Messages carry no secret, no name, no ESI and no e-mail address.
"""


class IssuerError(Exception):
    """Any refusal of the issuer."""


class DatabaseOutOfDate(IssuerError):
    """The database is at another version than the program."""


class NotUnsealable(IssuerError):
    """A stored secret was sealed with another deployment secret, or was changed."""


class NotAuthenticated(IssuerError):
    """No key of ours, or one that was ended."""


class NotPermitted(IssuerError):
    """The key's role does not allow the action."""


class CardNotFound(IssuerError):
    """No such card at this institution."""


class StudentNotFound(IssuerError):
    """No such student at this institution."""


class InstitutionNotFound(IssuerError):
    """No such institution in this deployment."""


class DeliveryNotFound(IssuerError):
    """No such delivery to the ESC-Router of this institution."""


class DeliveryStateConflict(IssuerError):
    """The delivery has ended already, or is being tried at this moment."""


class ErasureNotFound(IssuerError):
    """No such erasure of this institution."""


class StudentErased(IssuerError):
    """The student's data is being erased, or was: nothing more is done with it."""


class RegisteredWithoutConsent(IssuerError):
    """The router has students who have not consented: first say what becomes of them."""


class DeviceNotFound(IssuerError):
    """The card has no such phone, or it was ended."""


class TooManyDevices(IssuerError):
    """Not a number of phones that a card may have at once."""


class NoWalletAddress(IssuerError):
    """The deployment does not say where its wallet API is: a letter would lead nowhere."""


class RunNotFound(IssuerError):
    """No such reconciliation or adoption of this institution, or it has ended already."""


class RunUnderWay(IssuerError):
    """The institution has a run of this kind that has not ended."""


class RepairNotAllowed(IssuerError):
    """The institution's policy does not let a reconciliation repair this, or nothing can."""


class CardStateConflict(IssuerError):
    """The card's present state does not allow the change."""


class DuplicateStudent(IssuerError):
    """The institution already has a student with this ESI."""


class ReasonRequired(IssuerError):
    """A card is suspended or revoked only with a reason of 1 to 200 characters."""


class UnknownPrefix(IssuerError):
    """The institution does not run this card number prefix."""


class ForeignScope(IssuerError):
    """The institution may not write an ESI of this scope."""


class UnusableKey(IssuerError):
    """A signing key's file is missing, open to others, damaged, or of another passphrase."""


class UnusableSecret(IssuerError):
    """The file of a secret is missing, or what it holds is no secret."""


class NoActiveKey(IssuerError):
    """The institution, or the trust list, has no key that may sign now."""


class KeyStateConflict(IssuerError):
    """The key's present state does not allow the change, or there is no such key."""


class CredentialNotPossible(IssuerError):
    """The institution has not said enough of the student for this kind of credential."""


class CredentialRefused(IssuerError):
    """Our own verifier refuses what was just signed; it is not released."""


class UnknownDeviceKey(IssuerError):
    """The phone holds no credential of this key."""


class UnusableArchive(IssuerError):
    """An archive of photos is none, or pretends to hold more than it can."""


class PhotoNotFound(IssuerError):
    """No such photo at this institution, or its pixels are gone."""


class PhotoStateConflict(IssuerError):
    """The photo's present state does not allow the change."""


class PhotosNotTaken(IssuerError):
    """The institution does not take photos from its students."""


class TooManyPhotos(IssuerError):
    """The student sent more photos in a day than staff can look at."""


class MalformedColour(IssuerError):
    """A colour is not written as "#rrggbb"."""


class LowContrast(IssuerError):
    """Text in this colour cannot be read on this background."""


class UnusablePicture(IssuerError):
    """What was sent as a picture cannot be used."""


class PictureTooLarge(UnusablePicture):
    """The file has more bytes than we read."""


class TooManyPixels(UnusablePicture):
    """The picture's header promises more pixels than we decode."""


class PictureTooSmall(UnusablePicture):
    """The picture, or the part that is wanted of it, has too few pixels."""


class NotAPicture(UnusablePicture):
    """The file is no picture at all."""


class ForeignPicture(UnusablePicture):
    """The file is a picture of a format that we do not read."""


class MovingPicture(UnusablePicture):
    """The picture has several frames."""


class PictureDamaged(UnusablePicture):
    """The picture ends early or contradicts itself."""


class MalformedCrop(UnusablePicture):
    """The part that is wanted lies outside of the picture, or has no size."""
