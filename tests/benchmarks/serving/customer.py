"""What every server is asked about: a customer of 28 fields, as one writes the pydantic model by hand."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, StrictFloat, StrictInt


class Customer(BaseModel):
    """Ten counts, ten amounts and eight categories, all of them required."""

    model_config = ConfigDict(extra="forbid")

    age: StrictInt
    tenure_months: StrictInt
    logins: StrictInt
    visits: StrictInt
    orders: StrictInt
    returns: StrictInt
    tickets: StrictInt
    devices: StrictInt
    users: StrictInt
    referrals: StrictInt
    monthly_charge: StrictFloat
    total_charge: StrictFloat
    discount: StrictFloat
    balance: StrictFloat
    basket: StrictFloat
    data_gb: StrictFloat
    call_minutes: StrictFloat
    days_silent: StrictFloat
    rating: StrictFloat
    income: StrictFloat
    plan: Literal["basic", "plus", "pro"]
    contract: Literal["monthly", "yearly", "biennial", "open"]
    channel: Literal["web", "phone", "store", "partner", "mail"]
    payment: Literal["card", "debit", "invoice", "transfer", "wallet", "voucher"]
    region: Literal["north", "east", "south"]
    device: Literal["ios", "android", "desktop", "other"]
    segment: Literal["student", "single", "family", "senior", "business"]
    language: Literal["de", "en", "fr", "it", "es", "nl"]
