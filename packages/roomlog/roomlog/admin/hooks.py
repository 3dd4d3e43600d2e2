"""Webhooks and bots' tokens in the admin: made, looked at and revoked. Secrets are shown once."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import Min, Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from roomlog.bots import MOST_DAYS, make_token
from roomlog.configuration import configuration
from roomlog.hooks.incoming import make_hook
from roomlog.hooks.webhook import KINDS, check_address, new_signing_secret
from roomlog.models import PERSON_NAME_CODE_POINTS, BotToken, IncomingHook, Webhook, WebhookCursor
from roomlog.people import SYSTEM_NAME

from .bounded import BoundedAdmin
from .filters import RoomFilter
from .read_only import ReadOnlyAdmin

ONCE: Final = _("Copy this now, it is not shown again: {secret}")
OFF: Final = _('Nothing is delivered: ROOMLOG["WEBHOOKS"] is "off".')


class MadeOnce(BoundedAdmin):
    """Rows that are made and deleted, never changed, each with a secret that is shown when it is made."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: make another one."""
        return False

    def tell(self, request: HttpRequest, secret: str) -> None:
        """Show a secret once."""
        messages.warning(request, ONCE.format(secret=secret))


class BotTokenForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """A token to be made."""

    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=MOST_DAYS, initial=90)

    class Meta:
        model = BotToken
        fields = ("person", "name")


@admin.register(BotToken)
class BotTokenAdmin(MadeOnce):
    """What programs sign in with. Deleting one closes the sockets that it opened within a second."""

    form = BotTokenForm
    autocomplete_fields = ("person",)
    list_display = ("name", "person", "date_created", "expires_at", "last_used_at")
    list_select_related = ("person",)
    search_fields = ("name", "person__name")
    ordering = ("-id",)

    def get_fields(self, request: HttpRequest, obj: BotToken | None = None) -> tuple[str, ...]:
        """Return what is asked for, or what is known."""
        return ("person", "name", "days") if obj is None else self.list_display

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Make the token."""
        assert isinstance(obj, BotToken), "as registered"
        token = make_token(obj, form.cleaned_data["days"])
        self.tell(request, token)


class IncomingHookForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """A hook to be made."""

    name = forms.CharField(label=_("Posts as"), max_length=PERSON_NAME_CODE_POINTS)

    class Meta:
        model = IncomingHook
        fields = ("room",)

    def clean_name(self) -> str:
        """Refuse the name under which the project itself speaks."""
        name: str = self.cleaned_data["name"]
        if name == SYSTEM_NAME:
            raise forms.ValidationError(_("Choose another name."))
        return name


@admin.register(IncomingHook)
class IncomingHookAdmin(MadeOnce):
    """Addresses that post into rooms. Deleting one revokes it at once."""

    form = IncomingHookForm
    autocomplete_fields = ("room",)
    list_display = ("id", "room", "person", "date_created")
    list_select_related = ("room", "person")
    list_filter = (RoomFilter,)
    ordering = ("-date_created",)

    def get_fields(self, request: HttpRequest, obj: IncomingHook | None = None) -> tuple[str, ...]:
        """Return what is asked for, or what is known."""
        return ("room", "name") if obj is None else self.list_display

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Make the hook."""
        assert isinstance(obj, IncomingHook), "as registered"
        secret = make_hook(obj, form.cleaned_data["name"])
        path = reverse("roomlog:hook", args=(obj.pk, secret))
        self.tell(request, request.build_absolute_uri(path))


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """An address, and what it is told of."""

    kinds = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(kind, kind) for kind in KINDS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all."),
    )

    class Meta:
        model = Webhook
        fields = ("name", "url", "room", "kinds")

    def clean_url(self) -> str:
        """Refuse what is no address that is delivered to."""
        url: str = self.cleaned_data["url"]
        check_address(url, allows_private=configuration().webhooks == "private")
        return url


@admin.register(Webhook)
class WebhookAdmin(BoundedAdmin):
    """Addresses that are told of events, and how that goes."""

    form = WebhookForm
    autocomplete_fields = ("room",)
    list_display = ("name", "room", "stopped", "failing", "date_created")
    list_select_related = ("room",)
    list_filter = ("stopped", RoomFilter)
    search_fields = ("name",)
    ordering = ("name", "id")
    actions = ("stop", "start", "replace_secret")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        """Return the webhooks, each with the time since when a room fails."""
        rows: QuerySet[Webhook] = super().get_queryset(request)
        return rows.annotate(since=Min("cursors__failing_since"))

    def get_readonly_fields(self, request: HttpRequest, obj: Webhook | None = None) -> tuple[str, ...]:
        """Return what is fixed once the cursors have begun."""
        return () if obj is None else ("room", "stopped", "failing", "date_created")

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> tuple[str, ...]:
        """Return what can be said, and what is known."""
        asked = ("name", "url", "room", "kinds")
        return asked if obj is None else (*asked, "stopped", "failing", "date_created")

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Store it, and show the secret of a new one."""
        super().save_model(request, obj, form, change)
        if not change and isinstance(obj, Webhook):
            messages.warning(request, ONCE.format(secret=obj.secret))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Say so where nothing is delivered."""
        if configuration().webhooks == "off":
            messages.warning(request, OFF)
        answer: TemplateResponse = super().changelist_view(request, extra_context)
        return answer

    @admin.display(description=_("failing since"))
    def failing(self, webhook: Any) -> str:
        """Return since when, with the way to the rooms."""
        if webhook.since is None:
            return "-"
        address = reverse("admin:roomlog_webhookcursor_changelist")
        return format_html(
            '<a href="{}?webhook__id__exact={}"><u>{}</u></a>', address, webhook.pk, webhook.since
        )

    @admin.action(description=_("Stop"), permissions=["change"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        """Send nothing until it is started again."""
        for webhook in queryset:
            if webhook.stop(Webhook.Stop.ADMIN):
                self.log_change(request, webhook, "Stopped.")

    @admin.action(description=_("Start, and try at once"), permissions=["change"])
    def start(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        """Send from where it stands, and forget earlier failures."""
        for webhook in queryset:
            webhook.start()
            self.log_change(request, webhook, "Started.")

    @admin.action(description=_("Replace the secret"), permissions=["change"])
    def replace_secret(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        """Sign with a new secret from now on; what the receiver refuses meanwhile comes again."""
        for webhook in queryset:
            webhook.secret = new_signing_secret()
            webhook.save(update_fields=["secret"])
            self.log_change(request, webhook, "Replaced the secret.")
            messages.warning(request, ONCE.format(secret=f"{webhook.name}: {webhook.secret}"))


@admin.register(WebhookCursor)
class WebhookCursorAdmin(ReadOnlyAdmin):
    """How far each webhook is in each room, and what stands in its way."""

    list_display = (*("webhook", "room", "seq", "attempts", "failing_since", "next_try_at", "last_error"),)
    list_select_related = ("webhook", "room")
    list_filter = (("failing_since", admin.EmptyFieldListFilter), "webhook", RoomFilter)
    ordering = ("-failing_since", "id")
